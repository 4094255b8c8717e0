import type { onRequestHookHandler } from 'fastify';
import type { ServiceHealth } from './health.js';
import { sendProblem } from './http/send-problem.js';
import { HttpProblem } from './problem.js';

/** Until the schema is there, only questions about health are answered. */
export function whileStarting(health: ServiceHealth): onRequestHookHandler {
  return (request, reply, done) => {
    if (!health.isStarting || request.url.startsWith('/health/')) {
      done();
      return;
    }
    const detail = 'The service is starting; /health/ready says what it waits for.';
    sendProblem(reply, new HttpProblem(503, 'starting', detail, { retryAfterSeconds: 1 }));
  };
}
