import { normal } from './state/names.js';

/** What a client does that can go wrong. `receive` is one delivery to a client, `administer` a request over HTTP. */
export type BusOperation =
  'send' | 'receive' | 'settle' | 'manage' | 'attach' | 'authenticate' | 'administer';

/** What goes wrong. Times in milliseconds. */
export type BusEffect =
  /** Refused as a busy namespace does; a delivery: its link is detached. */
  | { readonly kind: 'throttle' }
  /** `before` (the default): it lingers and takes effect late; `after`: it takes effect and its answer lingers. */
  | { readonly kind: 'delay'; readonly ms: number; readonly when?: 'before' | 'after' }
  | { readonly kind: 'error'; readonly condition: string; readonly description?: string }
  /** The effect happens, the connection of whoever asked is cut before the answer. */
  | { readonly kind: 'drop-after-effect' }
  /** The connection is cut and nothing happens. Without an operation and a target new connections are cut as well. */
  | { readonly kind: 'outage' }
  /** The effect happens and nobody hears of it; a delivery is locked and never arrives. */
  | { readonly kind: 'withhold-answer' }
  /** A delivery arrives twice, the second time with a lock of its own, as when the first was lost unnoticed. */
  | { readonly kind: 'duplicate-delivery' }
  /** The lock of a delivery is lost as soon as it is granted: the message goes to whoever is next. */
  | { readonly kind: 'lose-lock' }
  /** The link is detached and nothing happens; by default as the service does for maintenance. */
  | { readonly kind: 'detach'; readonly condition?: string; readonly description?: string }
  /** For that long nothing is confirmed to anybody: the disk is slow. */
  | { readonly kind: 'stall-writes'; readonly ms: number };

export interface BusFault {
  /** Every operation that the effect can meet, when absent. */
  readonly operation?: BusOperation;
  /** The path of a queue, topic, subscription or dead-letter queue; any when absent. Case is ignored. */
  readonly target?: string;
  /** Lets that many matching operations pass first. */
  readonly skip?: number;
  /** Strikes that often (1 unless said), `unlimited` until removed. */
  readonly count?: number | 'unlimited';
  readonly effect: BusEffect;
}

export type PlantedBusFault = BusFault & {
  readonly id: string;
  readonly struck: number;
  /** It has struck as often as it was to, and strikes no more. */
  readonly spent: boolean;
};

/** Trouble on order. */
export interface ServiceBusFaults {
  /** Answers the id by which to remove it. Throws a `TypeError` for a fault that could never strike. */
  add(fault: BusFault): string;
  /** One fault, or all; how many there were. */
  remove(id?: string): number;
  /** Those that struck often enough are listed too. */
  list(): readonly PlantedBusFault[];
  /** Cuts every connection now; how many these were. */
  dropConnections(): number;
  /** Every lock on messages and sessions of the entity ends now. */
  expireLocks(entity: string): void;
  /** No token is accepted until this is called with false; links that are open stay. */
  refuseTokens(on: boolean): void;
}

const everything: readonly BusOperation[] = [
  'send',
  'receive',
  'settle',
  'manage',
  'attach',
  'authenticate',
  'administer',
];
const onDelivery: readonly BusOperation[] = ['receive'];

/** Which operations an effect can meet. */
const meets: Readonly<Record<BusEffect['kind'], readonly BusOperation[]>> = {
  throttle: everything,
  delay: everything,
  error: everything,
  'drop-after-effect': everything,
  outage: everything,
  'withhold-answer': everything,
  'duplicate-delivery': onDelivery,
  'lose-lock': onDelivery,
  detach: everything.filter((operation) => operation !== 'administer'),
  'stall-writes': ['send', 'settle', 'manage', 'administer'],
};

interface Entry {
  readonly id: string;
  readonly fault: BusFault;
  readonly path: string | undefined;
  skipped: number;
  struck: number;
}

/** An emulator that is troubled for days shall not keep every trouble it ever had. */
const REMEMBERED_WHEN_SPENT = 1000;

/** The faults in force, first planted first served: one operation meets at most one. */
export class BusFaults {
  private readonly planted = new Map<string, Entry>();
  /** Those that may still strike: while there is none, no operation pays for the possibility. */
  private inForce: readonly Entry[] = [];
  private count = 0;

  add(fault: BusFault): string {
    check(fault);
    const id = String(++this.count);
    const path = fault.target === undefined ? undefined : normal(fault.target);
    const entry = { id, fault, path, skipped: 0, struck: 0 };
    this.planted.set(id, entry);
    this.inForce = [...this.inForce, entry];
    return id;
  }

  remove(id?: string): number {
    const before = this.planted.size;
    if (id === undefined) this.planted.clear();
    else this.planted.delete(id);
    this.inForce = this.inForce.filter((entry) => this.planted.has(entry.id));
    return before - this.planted.size;
  }

  list(): readonly PlantedBusFault[] {
    return [...this.planted.values()].map((entry) => ({
      ...entry.fault,
      id: entry.id,
      struck: entry.struck,
      spent: isSpent(entry),
    }));
  }

  /** The effect that strikes an operation on an entity. */
  take(operation: BusOperation, target: string): BusEffect | undefined {
    if (this.inForce.length === 0) return undefined;
    const path = normal(target);
    return this.strike(
      ({ fault, path: wanted }) =>
        (fault.operation === undefined || fault.operation === operation) &&
        (wanted === undefined || wanted === path) &&
        meets[fault.effect.kind].includes(operation),
    );
  }

  /** Whether an outage of everything meets a client that connects. */
  refusesConnection(): boolean {
    const effect = this.strike(
      ({ fault, path }) =>
        fault.effect.kind === 'outage' && fault.operation === undefined && path === undefined,
    );
    return effect !== undefined;
  }

  private strike(matches: (entry: Entry) => boolean): BusEffect | undefined {
    for (const entry of this.inForce) {
      if (!matches(entry)) continue;
      if (entry.skipped < (entry.fault.skip ?? 0)) {
        entry.skipped++;
        continue;
      }
      entry.struck++;
      if (isSpent(entry)) this.retire(entry);
      return entry.fault.effect;
    }
    return undefined;
  }

  private retire(spent: Entry): void {
    this.inForce = this.inForce.filter((entry) => entry !== spent);
    if (this.planted.size - this.inForce.length <= REMEMBERED_WHEN_SPENT) return;
    for (const entry of this.planted.values())
      if (isSpent(entry)) {
        this.planted.delete(entry.id);
        return;
      }
  }
}

function isSpent({ fault: { count = 1 }, struck }: Entry): boolean {
  return count !== 'unlimited' && struck >= count;
}

function check({ operation, effect, count, skip }: BusFault): void {
  if (!Object.hasOwn(meets, effect.kind))
    throw new TypeError(`effect.kind: one of ${Object.keys(meets).join(', ')}.`);
  const possible = meets[effect.kind];
  if (operation !== undefined && !possible.includes(operation))
    throw new TypeError(`operation: with the effect ${effect.kind} one of ${possible.join(', ')}.`);
  if (count !== undefined && count !== 'unlimited' && !(Number.isInteger(count) && count > 0))
    throw new TypeError('count: a whole number from 1, or "unlimited".');
  if (skip !== undefined && !(Number.isInteger(skip) && skip >= 0))
    throw new TypeError('skip: a whole number from 0.');
  if ('ms' in effect && !(effect.ms >= 0)) throw new TypeError('effect.ms: a number of milliseconds from 0.');
  if (effect.kind === 'error' && effect.condition === '')
    throw new TypeError('effect.condition: a text, e.g. com.microsoft:server-busy.');
}
