import type { Circumstances, Operation, ServiceName } from './plugin.js';

/** What goes wrong. Times in milliseconds, `retryAfterSeconds` in seconds as the header has it. */
export type Effect =
  | { readonly kind: 'throttle'; readonly retryAfterSeconds?: number }
  /** `before` (the default): the request lingers on its way and takes effect late, even when its sender is gone. */
  | { readonly kind: 'delay'; readonly ms: number; readonly when?: 'before' | 'after' }
  | { readonly kind: 'status'; readonly status: number; readonly code?: string; readonly message?: string }
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

export interface PlantedFault extends Fault {
  readonly id: string;
  readonly struck: number;
}

/** The faults in force, first planted first served: one request meets at most one. */
export class Faults {
  readonly #planted = new Map<string, { fault: Fault; skipped: number; struck: number }>();
  #next = 1;

  /** Answers the id by which it can be removed. */
  add(fault: Fault): string {
    const id = String(this.#next++);
    this.#planted.set(id, { fault, skipped: 0, struck: 0 });
    return id;
  }

  /** One fault, or all. */
  remove(id?: string): void {
    if (id === undefined) this.#planted.clear();
    else this.#planted.delete(id);
  }

  list(): readonly PlantedFault[] {
    return [...this.#planted].map(([id, { fault, struck }]) => ({ ...fault, id, struck }));
  }

  take(service: ServiceName, operation: Operation): Effect | undefined {
    for (const entry of this.#planted.values()) {
      const { fault } = entry;
      const count = fault.count ?? 1;
      if (!matches(fault, service, operation) || (count !== 'unlimited' && entry.struck >= count)) continue;
      if (entry.skipped < (fault.skip ?? 0)) {
        entry.skipped += 1;
        continue;
      }
      entry.struck += 1; // a spent fault stays listed, so that a test can see that it struck
      return fault.effect;
    }
    return undefined;
  }
}

export function circumstancesOf(effect: Effect | undefined): Circumstances {
  if (effect?.kind === 'stale') return { stale: true };
  if (effect?.kind !== 'lag') return {};
  return { lag: { oldKeyForMs: effect.oldKeyForMs ?? 0, newKeyAfterMs: effect.newKeyAfterMs ?? 0 } };
}

function matches(fault: Fault, service: ServiceName, operation: Operation): boolean {
  const same = (wanted: string | undefined, given: string) =>
    wanted === undefined || wanted.toLowerCase() === given.toLowerCase();
  return (
    fault.service === service && same(fault.operation, operation.name) && same(fault.target, operation.target)
  );
}
