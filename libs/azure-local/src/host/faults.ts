import { operationsThatShow } from './operations.js';
import type { Circumstances, Operation, ServiceName } from './plugin.js';

/** What goes wrong. Times in milliseconds, `retryAfterSeconds` in seconds as the header has it. */
export type Effect =
  | { readonly kind: 'throttle'; readonly retryAfterSeconds?: number }
  /** `before` (the default): the request lingers on its way and takes effect late, even when its sender is gone. */
  | { readonly kind: 'delay'; readonly ms: number; readonly when?: 'before' | 'after' }
  /** That answer and no effect. Without `code`, the one that the service uses with such a status. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly code?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** Continuous access evaluation: a token that is good is sent back for one with other claims. */
  | { readonly kind: 'claims-challenge' }
  /** The effect happens, the connection is cut before the answer. */
  | { readonly kind: 'drop-after-effect' }
  /** The connection is cut and nothing happens. */
  | { readonly kind: 'outage' }
  /** A read answers from before the last change. */
  | { readonly kind: 'stale' }
  /** Matched by a regeneration: the data plane honours the old key, or does not know the new one, for a while. */
  | { readonly kind: 'lag'; readonly oldKeyForMs?: number; readonly newKeyAfterMs?: number };

export interface Fault {
  readonly service: ServiceName;
  /** As `recognise` names it, for example `regenerateKey`; every operation when absent. Case is ignored. */
  readonly operation?: string;
  /** The account, secret or client id; any when absent. Case is ignored. */
  readonly target?: string;
  /** Lets that many matching requests pass first. */
  readonly skip?: number;
  /** Strikes that often (1 unless said), `unlimited` until removed. */
  readonly count?: number | 'unlimited';
  readonly effect: Effect;
}

/** What a list says of a fault besides the fault. */
export interface Planted {
  readonly id: string;
  readonly struck: number;
  /** It has struck as often as it was to, and strikes no more. */
  readonly spent: boolean;
}

export type PlantedFault = Fault & Planted;

interface Entry {
  readonly id: string;
  readonly fault: Fault;
  skipped: number;
  struck: number;
}

/** An emulator that is troubled for days shall not keep every trouble it ever had. */
const rememberedWhenSpent = 1_000;

/** The faults in force, first planted first served: one request meets at most one. */
export class Faults {
  readonly #planted = new Map<string, Entry>();
  /** Those that may still strike; a spent one costs no request anything. */
  readonly #inForce = new Map<ServiceName, Entry[]>();
  readonly #spent: string[] = [];

  constructor(private readonly newId: () => string = counter()) {}

  /** Answers the id by which it can be removed. */
  add(fault: Fault): string {
    const entry = { id: this.newId(), fault, skipped: 0, struck: 0 };
    this.#planted.set(entry.id, entry);
    this.#inForce.set(fault.service, [...this.#of(fault.service), entry]);
    return entry.id;
  }

  /** One fault, or all; how many there were. */
  remove(id?: string): number {
    if (id !== undefined) return this.#forget(id);
    const before = this.#planted.size;
    this.#planted.clear();
    this.#inForce.clear();
    this.#spent.length = 0;
    return before;
  }

  list(): readonly PlantedFault[] {
    return [...this.#planted.values()].map((entry) => ({
      ...entry.fault,
      id: entry.id,
      struck: entry.struck,
      spent: isSpent(entry),
    }));
  }

  /** The effect that strikes this request. An `overture` is met by what meets whoever knocks, see {@link meets}. */
  take(
    service: ServiceName,
    operation: Operation,
    occasion: 'overture' | 'request' = 'request',
  ): Effect | undefined {
    for (const entry of this.#of(service)) {
      const { fault } = entry;
      if (!matches(fault, operation) || !meets(fault, occasion)) continue;
      if (entry.skipped < (fault.skip ?? 0)) {
        entry.skipped += 1;
        continue;
      }
      entry.struck += 1;
      if (isSpent(entry)) this.#retire(entry);
      return fault.effect;
    }
    return undefined;
  }

  #of(service: ServiceName): readonly Entry[] {
    return this.#inForce.get(service) ?? [];
  }

  /** It stays listed, so that a test can see that it struck. */
  #retire(entry: Entry): void {
    this.#withdraw(entry);
    this.#spent.push(entry.id);
    if (this.#spent.length <= rememberedWhenSpent) return;
    const oldest = this.#spent.shift();
    if (oldest !== undefined) this.#planted.delete(oldest);
  }

  #withdraw({ id, fault: { service } }: Entry): void {
    this.#inForce.set(
      service,
      this.#of(service).filter((other) => other.id !== id),
    );
  }

  #forget(id: string): number {
    const entry = this.#planted.get(id);
    if (entry === undefined) return 0;
    this.#planted.delete(id);
    this.#withdraw(entry);
    const spentAt = this.#spent.indexOf(id);
    if (spentAt >= 0) this.#spent.splice(spentAt, 1);
    return 1;
  }
}

/** Ids that are unique as long as everybody asks the same counter. */
export function counter(): () => string {
  let last = 0;
  return () => String((last += 1));
}

export function circumstancesOf(effect: Effect | undefined): Circumstances {
  if (effect?.kind === 'stale') return { stale: true };
  if (effect?.kind !== 'lag') return {};
  return { lag: { oldKeyForMs: effect.oldKeyForMs ?? 0, newKeyAfterMs: effect.newKeyAfterMs ?? 0 } };
}

function isSpent({ fault: { count = 1 }, struck }: Entry): boolean {
  return count !== 'unlimited' && struck >= count;
}

/** A fault without operation waits for one on which it can be seen. */
function matches({ service, operation, target, effect }: Fault, asked: Operation): boolean {
  const same = (wanted: string | undefined, given: string) =>
    wanted === undefined || wanted.toLowerCase() === given.toLowerCase();
  if (!same(operation, asked.name) || !same(target, asked.target)) return false;
  const { kind } = effect;
  return (kind !== 'stale' && kind !== 'lag') || operationsThatShow(kind, service).includes(asked.name);
}

/**
 * The request that opens a conversation, without a token, only fetches the challenge: a fault that is meant for the
 * request itself must not be used up by it. But a service that is down answers no challenge either.
 */
function meets({ effect, count }: Fault, occasion: 'overture' | 'request'): boolean {
  if (occasion === 'request' || effect.kind === 'outage') return true;
  return effect.kind === 'status' && count === 'unlimited';
}
