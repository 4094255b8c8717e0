import { setTimeout as sleep } from 'node:timers/promises';
import { circumstancesOf, type Effect, type Faults } from './faults.js';
import type { Incoming, Log, Operation, Reply, Service } from './plugin.js';

/** `cut`: the connection is closed without an answer. */
export type Outcome = Reply | 'cut';

export interface Dispatch {
  readonly faults: Faults;
  readonly log: Log;
  /** Ends planted delays when the emulator stops. */
  readonly stopped: AbortSignal;
}

/** Lets the fault in force strike around the service's own work. */
export async function dispatch<O extends Operation>(
  service: Service<O>,
  request: Incoming,
  { faults, log, stopped }: Dispatch,
): Promise<Outcome> {
  const operation = service.recognise(request);
  const effect = service.isOverture?.(request) === true ? undefined : faults.take(service.name, operation);
  const wait = (ms: number) => sleep(ms, undefined, { signal: stopped, ref: false });
  const answer = planted(service, effect);
  if (answer !== undefined) return answer;
  if (effect?.kind === 'delay' && effect.when !== 'after') await wait(effect.ms);
  let reply: Reply;
  try {
    reply = await service.perform(operation, request, circumstancesOf(effect));
  } catch (error) {
    log.warn(
      `${service.name} ${operation.name} failed: ${error instanceof Error ? (error.stack ?? '') : String(error)}`,
    );
    return service.refuse(500, undefined, 'The emulator failed; its log says why.');
  }
  if (effect?.kind === 'delay' && effect.when === 'after') await wait(effect.ms);
  return effect?.kind === 'drop-after-effect' ? 'cut' : reply;
}

function planted(service: Pick<Service, 'refuse'>, effect: Effect | undefined): Outcome | undefined {
  switch (effect?.kind) {
    case 'outage':
      return 'cut';
    case 'status':
      return service.refuse(effect.status, effect.code, effect.message);
    case 'throttle': {
      const reply = service.refuse(429, undefined, undefined);
      return {
        ...reply,
        headers: { ...reply.headers, 'retry-after': String(effect.retryAfterSeconds ?? 1) },
      };
    }
    default:
      return undefined;
  }
}
