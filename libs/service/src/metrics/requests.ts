import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from './metrics.js';

/** Measures requests by the route as it is declared: paths hold names of instances and rotations, without end. */
export function countRequests(
  metrics: Metrics,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    if (!route.startsWith('/health/')) {
      const labels = { method: request.method, route, status: String(reply.statusCode) };
      metrics.observe('twinkey_http_request_seconds', labels, reply.elapsedTime / 1_000);
    }
    return Promise.resolve();
  };
}
