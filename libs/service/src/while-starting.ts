import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServiceHealth } from './health.js';
import { HttpProblem, problemOf } from './problem.js';

/** Until the schema is there, only questions about health are answered. */
export function whileStarting(
  health: ServiceHealth,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined> {
  return async (request, reply) => {
    if (!health.isStarting || request.url.startsWith('/health/')) return undefined;
    const { body } = problemOf(
      new HttpProblem(503, 'starting', 'The service is starting; /health/ready says what it waits for.'),
    );
    return reply
      .status(body.status)
      .header('retry-after', '1')
      .header('content-type', 'application/problem+json')
      .send(JSON.stringify(body));
  };
}
