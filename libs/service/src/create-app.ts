import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessGuard } from './access/access.guard.js';
import type { RequestBudget } from './access/request-budget.js';
import type { VerifyToken } from './access/token-verifier.js';
import { HealthController } from './health.controller.js';
import { ServiceHealth } from './health.js';
import { REQUEST_LIMITS, type RequestLimits } from './http/limits.js';
import { refuseLongUrls } from './http/long-url.js';
import { refusePages } from './http/programs-only.js';
import { refuseConnection } from './http/refuse-connection.js';
import { sendProblem } from './http/send-problem.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics/metrics.js';
import { countRequests } from './metrics/requests.js';
import { nestLog } from './nest-log.js';
import { ProblemFilter } from './problem.filter.js';
import { whileStarting } from './while-starting.js';

/** Whom a service lets in. Without `verify` nobody is asked for a token, and only this machine is answered. */
export interface Access {
  readonly verify?: VerifyToken;
  readonly audience?: string | undefined;
  readonly budget?: RequestBudget;
}

export interface AppParts {
  readonly log: Log;
  readonly health: ServiceHealth;
  readonly metrics: Metrics;
  readonly access: Access;
  readonly limits?: RequestLimits;
}

@Module({})
class HostModule {}

/** The HTTP side of a service, before it listens: its routes and health behind the guard and the limits. */
export async function createApp(
  module: DynamicModule | Type,
  { log, health, metrics, access, limits = REQUEST_LIMITS }: AppParts,
): Promise<NestFastifyApplication> {
  const host: DynamicModule = {
    module: HostModule,
    imports: [module],
    controllers: [HealthController],
    providers: [
      { provide: ServiceHealth, useValue: health },
      { provide: APP_GUARD, useValue: new AccessGuard(access.verify, access.audience, access.budget) },
    ],
  };
  const adapter = new FastifyAdapter({
    forceCloseConnections: 'idle',
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestWithinMs,
    http: {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersWithinMs,
      requestTimeout: limits.requestWithinMs,
      connectionsCheckingInterval: limits.lookEveryMs,
    },
    clientErrorHandler: refuseConnection(limits),
    // What the router refuses before any hook runs: a path that cannot be decoded, a name that is too long.
    frameworkErrors: (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, error);
    },
    // An ARM id fits into a path; the default of 100 characters does not hold one.
    routerOptions: { maxParamLength: 1_000 },
  });
  const fastify = adapter.getInstance();
  // Only JSON is read: text and forms are what a page in a browser may send anywhere without asking.
  fastify.removeContentTypeParser('text/plain');
  if (access.verify === undefined) fastify.addHook('onRequest', refusePages);
  fastify.addHook('onRequest', refuseLongUrls(limits));
  fastify.addHook('onRequest', whileStarting(health));
  fastify.addHook('onSend', (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    return Promise.resolve();
  });
  fastify.addHook('onResponse', countRequests(metrics));
  const app = await NestFactory.create<NestFastifyApplication>(host, adapter, {
    logger: nestLog(log),
    bodyParser: false, // Fastify reads JSON by itself; Nest would read forms as well
    abortOnError: false, // otherwise Nest ends the process without a word of ours
  });
  app.useGlobalFilters(new ProblemFilter(log));
  return app;
}
