import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from './log.js';
import { problemOf } from './problem.js';

/** Answers every error of an HTTP request with problem+json. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const { body, retryAfterSeconds, defect } = problemOf(error);
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const fields = {
      method: request.method,
      path: request.routeOptions.url,
      status: body.status,
      code: body.code,
    };
    if (defect === true) this.log.error({ ...fields, err: error }, 'A request met a defect');
    else if (body.status >= 500) this.log.warn(fields, `A request failed: ${body.detail}`);
    // A stream that broke half-way cannot become another answer.
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
    if (body.status === 401) reply.header('www-authenticate', 'Bearer');
    await reply
      .status(body.status)
      .header('content-type', 'application/problem+json')
      .send(JSON.stringify(body));
  }
}
