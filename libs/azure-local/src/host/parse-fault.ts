import type { Effect, Fault } from './faults.js';
import { isObject, type ServiceName } from './plugin.js';

const services: readonly string[] = ['entra', 'arm', 'key-vault', 'ai'] satisfies ServiceName[];

type Fields = Readonly<Record<string, unknown>>;

/** The fault, or what is wrong with it: field, rule and remedy in one sentence. */
export function parseFault(value: Fields | undefined): Fault | string {
  if (value === undefined) return 'A JSON object was expected.';
  const { service, operation, target, skip, count } = value;
  if (typeof service !== 'string' || !services.includes(service))
    return `service: one of ${services.join(', ')}.`;
  if (operation !== undefined && typeof operation !== 'string')
    return 'operation: a text, or leave it out for all.';
  if (target !== undefined && typeof target !== 'string') return 'target: a text, or leave it out for any.';
  if (skip !== undefined && !isCount(skip)) return 'skip: a number of requests to let pass, 0 or more.';
  if (count !== undefined && count !== 'unlimited' && !isCount(count))
    return 'count: a number, or "unlimited".';
  const effect = parseEffect(value['effect']);
  if (typeof effect === 'string') return effect;
  return {
    service: service as ServiceName,
    effect,
    ...(operation === undefined ? {} : { operation }),
    ...(target === undefined ? {} : { target }),
    ...(skip === undefined ? {} : { skip }),
    ...(count === undefined ? {} : { count }),
  };
}

function parseEffect(value: unknown): Effect | string {
  if (!isObject(value)) return 'effect: an object such as { "kind": "throttle", "retryAfterSeconds": 2 }.';
  const number = (field: string) => (isCount(value[field]) ? value[field] : undefined);
  const text = (field: string) => (typeof value[field] === 'string' ? value[field] : undefined);
  switch (value['kind']) {
    case 'throttle':
      return { kind: 'throttle', retryAfterSeconds: number('retryAfterSeconds') ?? 1 };
    case 'delay': {
      const ms = number('ms');
      if (ms === undefined) return 'effect.ms: a number of milliseconds.';
      return { kind: 'delay', ms, when: value['when'] === 'after' ? 'after' : 'before' };
    }
    case 'status': {
      const [status, code, message] = [number('status'), text('code'), text('message')];
      if (status === undefined || status < 200 || status > 599)
        return 'effect.status: an HTTP status, 200 to 599.';
      return {
        kind: 'status',
        status,
        ...(code === undefined ? {} : { code }),
        ...(message === undefined ? {} : { message }),
      };
    }
    case 'drop-after-effect':
    case 'outage':
    case 'stale':
      return { kind: value['kind'] };
    case 'lag':
      return {
        kind: 'lag',
        oldKeyForMs: number('oldKeyForMs') ?? 0,
        newKeyAfterMs: number('newKeyAfterMs') ?? 0,
      };
    default:
      return 'effect.kind: one of throttle, delay, status, drop-after-effect, outage, stale, lag.';
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
