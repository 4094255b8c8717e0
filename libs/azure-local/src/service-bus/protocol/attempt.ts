import { Refused, serverBusy } from '../errors.js';
import type { BusEffect, BusOperation } from '../faults.js';

/** Lets whoever asked know; a fault may do so late or never. */
export type Answer = (tell: () => void) => void;

/** One thing that a client asked for, as faults meet it. */
export interface Attempt {
  readonly operation: BusOperation;
  /** The path of the entity. */
  readonly target: string;
  /** Lets it happen, and tells by way of `answer`. */
  readonly run: (answer: Answer) => void;
  readonly refuse: (error: Refused) => void;
  readonly detach: (error: Refused) => void;
  /** Cuts the connection of whoever asked. */
  readonly cut: () => void;
}

export interface AttemptHost {
  /** Lets an attempt happen, unless a fault meets it. */
  attempt(attempt: Attempt): void;
}

export interface StrikeHost {
  readonly isOver: boolean;
  stallWrites(ms: number): void;
}

const BY_ORDER = 'By order of a test';
const STATUS: Readonly<Record<string, number>> = {
  'amqp:unauthorized-access': 401,
  'amqp:not-found': 404,
  'com.microsoft:message-not-found': 404,
  'com.microsoft:timeout': 408,
  'com.microsoft:message-lock-lost': 410,
  'com.microsoft:session-lock-lost': 410,
  'amqp:not-implemented': 501,
  'com.microsoft:server-busy': 503,
  'amqp:internal-error': 500,
};

/** The error that an effect makes of an operation, if it makes one. */
export function errorBy(effect: BusEffect): Refused | undefined {
  switch (effect.kind) {
    case 'throttle':
      return serverBusy();
    case 'error':
      return new Refused(effect.condition, effect.description ?? BY_ORDER, STATUS[effect.condition] ?? 400);
    case 'detach':
      return new Refused(
        effect.condition ?? 'amqp:link:detach-forced',
        effect.description ?? 'The link was detached for maintenance',
        503,
      );
    default:
      return undefined;
  }
}

const atOnce: Answer = (tell) => {
  tell();
};

/** Runs an attempt that meets a fault, or none. */
export function strike(effect: BusEffect | undefined, attempt: Attempt, host: StrikeHost): void {
  const { run, refuse, detach, cut } = attempt;
  const later = (ms: number, go: () => void): void => {
    setTimeout(() => {
      if (!host.isOver) go();
    }, ms).unref();
  };
  const error = effect && errorBy(effect);
  if (effect === undefined) run(atOnce);
  else if (error !== undefined) (effect.kind === 'detach' ? detach : refuse)(error);
  else if (effect.kind === 'outage') cut();
  else if (effect.kind === 'drop-after-effect') run(cut);
  else if (effect.kind === 'withhold-answer') run(() => undefined);
  else if (effect.kind === 'stall-writes') {
    host.stallWrites(effect.ms);
    run(atOnce);
  } else if (effect.kind === 'delay' && effect.when === 'after')
    run((tell) => {
      later(effect.ms, tell);
    });
  else if (effect.kind === 'delay')
    later(effect.ms, () => {
      run(atOnce);
    });
  else run(atOnce);
}
