import type { Server } from 'node:http';
import type { INestApplication } from '@nestjs/common';
import type { AnyDatabase, OutboxRelay } from '@twinkey/journal';
import type { ServiceBusStrategy } from '@twinkey/nest-service-bus';
import type { Bus } from '@twinkey/service-bus';
import type { Log } from './log.js';
import type { Background } from './service.js';

export interface Running {
  readonly background: readonly Background[];
  readonly strategy: Pick<ServiceBusStrategy, 'close'>;
  readonly app: INestApplication;
  readonly relay: Pick<OutboxRelay, 'stop'>;
  readonly bus: Pick<Bus, 'close'>;
  readonly database: Pick<AnyDatabase, 'close'>;
}

/** Streams of events never end by themselves; requests that do get this long. */
const REQUESTS_END_WITHIN_MS = 2_000;
const RELAY_FLUSH_WITHIN_MS = 5_000;

/**
 * Ends a service from the outside to the inside: first whatever starts new work, then what does the work, then
 * what the work needs. A step that fails is told and does not keep the later ones from happening. False when it
 * took too long or a step failed: what was under way then is settled by redelivery and by the next start.
 */
export async function shutDown(
  { background, strategy, app, relay, bus, database }: Running,
  { withinMs, log }: { readonly withinMs: number; readonly log: Log },
): Promise<boolean> {
  const steps: (readonly [name: string, step: () => Promise<void>])[] = [
    ...background.toReversed().map((work) => [work.name, () => work.stop()] as const),
    ['messages', () => strategy.close()],
    ['requests', () => closeHttp(app)],
    ['outbox', () => relay.stop({ withinMs: RELAY_FLUSH_WITHIN_MS })],
    ['bus', () => bus.close()],
    ['database', () => database.close()],
  ];
  let clean = true;
  let current = '';
  const run = async () => {
    for (const [name, step] of steps) {
      current = name;
      await step().catch((error: unknown) => {
        clean = false;
        log.warn({ step: name, err: error }, 'A part of the service did not end properly');
      });
    }
    return 'ended';
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, withinMs, 'late');
  });
  const how = await Promise.race([run(), late]);
  clearTimeout(timer);
  if (how === 'ended') log.info({}, 'Stopped');
  else log.error({ step: current }, `Stopping took longer than ${withinMs / 1_000} s; the rest is cut off`);
  return how === 'ended' && clean;
}

async function closeHttp(app: INestApplication): Promise<void> {
  const server = app.getHttpServer() as Server;
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, REQUESTS_END_WITHIN_MS);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
