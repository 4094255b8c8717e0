import type { FastifyReply } from 'fastify';
import { problemOf } from '../problem.js';

/** Answers with what an error means, where no filter of Nest is at work yet. */
export function sendProblem(reply: FastifyReply, error: unknown): void {
  const { body, retryAfterSeconds } = problemOf(error);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  void reply
    .status(body.status)
    .header('content-type', 'application/problem+json')
    .send(JSON.stringify(body));
}
