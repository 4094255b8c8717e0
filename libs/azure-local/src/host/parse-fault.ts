import { ControlInvalid } from './control-invalid.js';
import type { Effect, Fault } from './faults.js';
import { operationsOf, operationsThatShow } from './operations.js';
import { isObject, type ServiceName } from './plugin.js';

export const httpServices: readonly ServiceName[] = ['entra', 'arm', 'key-vault', 'ai'];

type Fields = Readonly<Record<string, unknown>>;

/** A fault that cannot be planted; the message names field, rule and remedy. */
export class FaultInvalid extends ControlInvalid {
  override readonly name = 'FaultInvalid';
}

/** What any fault says besides its service and its effect. */
export interface Aim {
  readonly operation?: string;
  readonly target?: string;
  readonly skip?: number;
  readonly count?: number | 'unlimited';
}

const fields = new Set(['service', 'operation', 'target', 'skip', 'count', 'effect']);

/** Throws {@link FaultInvalid} at the first field that breaks a rule. `operations` are those of the service. */
export function parseAim(value: Fields, operations: readonly string[]): Aim {
  const { operation, target, skip, count } = value;
  const strange = Object.keys(value).find((field) => !fields.has(field));
  if (strange !== undefined) refuse(`${strange}: no such field; a fault has ${[...fields].join(', ')}.`);
  const name = operations.find((one) => one.toLowerCase() === String(operation).toLowerCase());
  if (operation !== undefined && name === undefined) {
    refuse(`operation: one of ${operations.join(', ')}; or leave it out for all.`);
  }
  if (target !== undefined && (typeof target !== 'string' || target === ''))
    refuse('target: a text, or leave it out for any.');
  if (skip !== undefined && !isCount(skip)) refuse('skip: a number of requests to let pass, 0 or more.');
  if (count !== undefined && count !== 'unlimited' && !(isCount(count) && count > 0))
    refuse('count: 1 or more, or "unlimited".');
  return {
    ...(name === undefined ? {} : { operation: name }),
    ...(target === undefined ? {} : { target: target }),
    ...(skip === undefined ? {} : { skip: skip }),
    ...(count === undefined ? {} : { count: count }),
  };
}

/** A fault of one of the services that speak HTTP. Throws {@link FaultInvalid}. */
export function parseHttpFault(service: ServiceName, value: Fields): Fault {
  const aim = parseAim(value, operationsOf(service));
  const effect = parseEffect(value['effect']);
  const why = whyPointless(service, aim.operation, effect);
  if (why !== undefined) refuse(`effect.kind: ${why}`);
  return { service, ...aim, effect };
}

/** An effect that the operation cannot show would wait for ever and let a test pass that tested nothing. */
function whyPointless(
  service: ServiceName,
  operation: string | undefined,
  { kind }: Effect,
): string | undefined {
  if (kind === 'claims-challenge') {
    if (service === 'arm' || service === 'key-vault') return undefined;
    return `claims-challenge is for arm and key-vault; use status 401 for ${service}.`;
  }
  if (kind !== 'stale' && kind !== 'lag') return undefined;
  const able = operationsThatShow(kind, service);
  if (able.length === 0) {
    const others = httpServices.filter((one) => operationsThatShow(kind, one).length > 0);
    return `${kind} is for ${others.join(' and ')}; nothing of ${service} can show it.`;
  }
  if (operation === undefined || able.includes(operation)) return undefined;
  return `${kind} can be seen on ${able.join(', ')} only, not on ${operation}; name one of these, or none.`;
}

function parseEffect(value: unknown): Effect {
  if (!isObject(value)) refuse('effect: an object such as { "kind": "throttle", "retryAfterSeconds": 2 }.');
  const { kind } = value;
  switch (kind) {
    case 'throttle':
      only(value, 'retryAfterSeconds');
      return { kind, retryAfterSeconds: number(value, 'retryAfterSeconds', 'seconds') ?? 1 };
    case 'delay': {
      only(value, 'ms', 'when');
      const { when = 'before' } = value;
      if (when !== 'before' && when !== 'after') refuse('effect.when: "before" or "after".');
      return {
        kind,
        ms: number(value, 'ms', 'milliseconds') ?? refuse('effect.ms: a number of milliseconds.'),
        when,
      };
    }
    case 'status':
      return parseStatus(value);
    case 'drop-after-effect':
    case 'outage':
    case 'stale':
    case 'claims-challenge':
      only(value);
      return { kind };
    case 'lag':
      only(value, 'oldKeyForMs', 'newKeyAfterMs');
      return {
        kind,
        oldKeyForMs: number(value, 'oldKeyForMs', 'milliseconds') ?? 0,
        newKeyAfterMs: number(value, 'newKeyAfterMs', 'milliseconds') ?? 0,
      };
    default:
      refuse(
        'effect.kind: one of throttle, delay, status, claims-challenge, drop-after-effect, outage, stale, lag.',
      );
  }
}

function parseStatus(value: Fields): Effect {
  only(value, 'status', 'code', 'message', 'retryAfterSeconds');
  const status = number(value, 'status', 'an HTTP status') ?? 0;
  if (status < 200 || status > 599) refuse('effect.status: an HTTP status, 200 to 599.');
  const [code, message] = [text(value, 'code'), text(value, 'message')];
  const retryAfterSeconds = number(value, 'retryAfterSeconds', 'seconds');
  return {
    kind: 'status',
    status,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** A misspelled field would be a fault with a default in its place. */
export function only(effect: Fields, ...names: readonly string[]): void {
  const strange = Object.keys(effect).find((field) => field !== 'kind' && !names.includes(field));
  if (strange === undefined) return;
  const has = names.length === 0 ? 'no further fields' : names.join(', ');
  refuse(`effect.${strange}: no such field; ${String(effect['kind'])} has ${has}.`);
}

export function number(effect: Fields, field: string, what: string): number | undefined {
  const given = effect[field];
  if (given === undefined) return undefined;
  return isCount(given) ? given : refuse(`effect.${field}: ${what}, a whole number of 0 or more.`);
}

export function text(effect: Fields, field: string): string | undefined {
  const given = effect[field];
  if (given === undefined || typeof given === 'string') return given;
  return refuse(`effect.${field}: a text was expected.`);
}

export function refuse(message: string): never {
  throw new FaultInvalid(message);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
