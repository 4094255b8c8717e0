import { setTimeout as sleep } from 'node:timers/promises';
import { defaultCode } from './default-codes.js';
import { circumstancesOf, type Effect, type Faults } from './faults.js';
import { codeOf, type Incoming, type Log, type Operation, type Reply, type Service } from './plugin.js';

/** `cut`: the connection is closed without an answer. */
export type Outcome = Reply | 'cut';

export interface Dispatch {
  readonly faults: Faults;
  readonly log: Log;
  /** Ends planted delays when the emulator stops. */
  readonly stopped: AbortSignal;
  /** The service's challenge for a token with other claims, for services that have one. */
  readonly claimsChallenge?: () => Reply;
}

/** Lets the fault in force strike around the service's own work. */
export async function dispatch<O extends Operation>(
  service: Service<O>,
  request: Incoming,
  rules: Dispatch,
): Promise<Outcome> {
  if (request.spoiled !== undefined) return refuseSpoiled(service, request.spoiled);
  try {
    return await underFaults(service, request, rules);
  } catch (error) {
    if (codeOf(error) === 'ABORT_ERR') throw error; // stopping, while a planted delay runs
    const trace = error instanceof Error ? (error.stack ?? '') : String(error);
    rules.log.warn(`${service.name} ${request.method} failed: ${trace}`);
    return service.refuse(500, undefined, 'The emulator failed; its log says why.');
  }
}

async function underFaults<O extends Operation>(
  service: Service<O>,
  request: Incoming,
  rules: Dispatch,
): Promise<Outcome> {
  const operation = service.recognise(request);
  const occasion = service.isOverture?.(request) === true ? 'overture' : 'request';
  const effect = rules.faults.take(service.name, operation, occasion);
  const wait = (ms: number) => sleep(ms, undefined, { signal: rules.stopped, ref: false });
  const answer = planted(service, effect, rules);
  if (answer !== undefined) return answer;
  if (effect?.kind === 'delay' && effect.when !== 'after') await wait(effect.ms);
  const reply = await service.perform(operation, request, circumstancesOf(effect));
  if (effect?.kind === 'delay' && effect.when === 'after') await wait(effect.ms);
  return effect?.kind === 'drop-after-effect' ? 'cut' : reply;
}

function planted(
  service: Pick<Service, 'name' | 'refuse'>,
  effect: Effect | undefined,
  { claimsChallenge }: Dispatch,
): Outcome | undefined {
  switch (effect?.kind) {
    case 'outage':
      return 'cut';
    case 'claims-challenge':
      return claimsChallenge?.();
    case 'status': {
      const code = effect.code ?? defaultCode(service.name, effect.status);
      const reply = service.refuse(effect.status, code, effect.message);
      return effect.retryAfterSeconds === undefined ? reply : retryAfter(reply, effect.retryAfterSeconds);
    }
    case 'throttle':
      return retryAfter(service.refuse(429, undefined, undefined), effect.retryAfterSeconds ?? 1);
    default:
      return undefined;
  }
}

function retryAfter(reply: Reply, seconds: number): Reply {
  return { ...reply, headers: { ...reply.headers, 'retry-after': String(seconds) } };
}

/** In the service's own words, since its clients read nothing else. */
function refuseSpoiled(service: Pick<Service, 'name' | 'refuse'>, spoiled: 'url' | 'body-too-large'): Reply {
  const [status, message] =
    spoiled === 'url'
      ? [400, 'The request URI is malformed.']
      : [413, 'The request body is larger than this service accepts.'];
  return service.refuse(status, defaultCode(service.name, status), message);
}
