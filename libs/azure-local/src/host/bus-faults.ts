import type { BusEffect, BusFault, BusOperation, ServiceBusFaults } from '../service-bus/server.js';
import type { Planted } from './faults.js';
import { number, only, parseAim, refuse, text } from './parse-fault.js';
import { isObject } from './plugin.js';

/** A fault of the namespace, as one of all services. */
export type ServiceBusFault = BusFault & { readonly service: 'service-bus' };
export type PlantedServiceBusFault = ServiceBusFault & Planted;

export const busOperations: readonly BusOperation[] = [
  'send',
  'receive',
  'settle',
  'manage',
  'attach',
  'authenticate',
  'administer',
];

type Read = (effect: Readonly<Record<string, unknown>>) => BusEffect;

const effects: { readonly [K in BusEffect['kind']]: Read } = {
  throttle: plain('throttle'),
  delay: (effect) => {
    only(effect, 'ms', 'when');
    const { when = 'before' } = effect;
    if (when !== 'before' && when !== 'after') refuse('effect.when: "before" or "after".');
    return { kind: 'delay', ms: milliseconds(effect), when };
  },
  error: (effect) => {
    only(effect, 'condition', 'description');
    const condition =
      text(effect, 'condition') ?? refuse('effect.condition: a text, such as com.microsoft:server-busy.');
    return { kind: 'error', condition, ...described(effect) };
  },
  'drop-after-effect': plain('drop-after-effect'),
  outage: plain('outage'),
  'withhold-answer': plain('withhold-answer'),
  'duplicate-delivery': plain('duplicate-delivery'),
  'lose-lock': plain('lose-lock'),
  detach: (effect) => {
    only(effect, 'condition', 'description');
    const condition = text(effect, 'condition');
    return { kind: 'detach', ...(condition === undefined ? {} : { condition }), ...described(effect) };
  },
  'stall-writes': (effect) => {
    only(effect, 'ms');
    return { kind: 'stall-writes', ms: milliseconds(effect) };
  },
};

/** A fault of Service Bus as JSON. Throws `FaultInvalid`. */
export function parseBusFault(value: Readonly<Record<string, unknown>>): BusFault {
  const { operation, ...aim } = parseAim(value, busOperations);
  const named = busOperations.find((one) => one === operation);
  const { effect } = value;
  const kinds = Object.keys(effects) as readonly BusEffect['kind'][];
  if (!isObject(effect)) return refuse('effect: an object such as { "kind": "delay", "ms": 500 }.');
  const kind = kinds.find((one) => one === effect['kind']);
  if (kind === undefined) return refuse(`effect.kind: for service-bus one of ${kinds.join(', ')}.`);
  return { ...aim, ...(named === undefined ? {} : { operation: named }), effect: effects[kind](effect) };
}

interface Entry {
  readonly fault: BusFault;
  /** Its id in the namespace that runs now; none when it was spent in one that is gone. */
  readonly inside: string | undefined;
  /** Struck in namespaces that are gone. */
  readonly before: number;
}

/** The faults of the namespace under the ids of all faults; they outlive a restart of the namespace. */
export class FaultsOfTheBus {
  #bus: Pick<ServiceBusFaults, 'add' | 'remove' | 'list'> | undefined;
  readonly #entries = new Map<string, Entry>();

  constructor(private readonly newId: () => string) {}

  /** A namespace that has just opened takes over what is not spent. */
  attach(bus: Pick<ServiceBusFaults, 'add' | 'remove' | 'list'>): void {
    const before = this.list();
    this.#bus = bus;
    for (const { id, struck, spent } of before) {
      const fault = this.#entries.get(id)?.fault;
      if (fault === undefined) continue;
      const inside = spent ? undefined : bus.add(rest(fault, struck - (this.#entries.get(id)?.before ?? 0)));
      this.#entries.set(id, { fault, inside, before: struck });
    }
  }

  add(fault: BusFault): string {
    if (this.#bus === undefined) return refuse('service: Service Bus does not listen yet.');
    let inside: string;
    try {
      inside = this.#bus.add(fault);
    } catch (error) {
      if (error instanceof TypeError) return refuse(error.message);
      throw error;
    }
    const id = this.newId();
    this.#entries.set(id, { fault, inside, before: 0 });
    return id;
  }

  remove(id?: string): number {
    const going = id === undefined ? [...this.#entries.keys()] : this.#entries.has(id) ? [id] : [];
    for (const one of going) {
      const inside = this.#entries.get(one)?.inside;
      if (inside !== undefined) this.#bus?.remove(inside);
      this.#entries.delete(one);
    }
    return going.length;
  }

  list(): readonly PlantedServiceBusFault[] {
    const inside = new Map((this.#bus?.list() ?? []).map((one) => [one.id, one]));
    return [...this.#entries].flatMap(([id, entry]) => {
      const now = entry.inside === undefined ? { struck: 0, spent: true } : inside.get(entry.inside);
      if (now === undefined) {
        this.#entries.delete(id); // spent so long ago that the namespace has forgotten it
        return [];
      }
      const { struck, spent } = now;
      return [{ service: 'service-bus' as const, ...entry.fault, id, struck: entry.before + struck, spent }];
    });
  }
}

/** What is left of a fault that struck so often already. */
function rest(fault: BusFault, struck: number): BusFault {
  if (struck === 0) return fault;
  const { count = 1, skip: _passed, ...others } = fault;
  return { ...others, count: count === 'unlimited' ? count : Math.max(1, count - struck) };
}

function plain(kind: Exclude<BusEffect['kind'], 'delay' | 'error' | 'detach' | 'stall-writes'>): Read {
  return (effect) => {
    only(effect);
    return { kind };
  };
}

function milliseconds(effect: Readonly<Record<string, unknown>>): number {
  return number(effect, 'ms', 'milliseconds') ?? refuse('effect.ms: a number of milliseconds.');
}

function described(effect: Readonly<Record<string, unknown>>): { readonly description?: string } {
  const description = text(effect, 'description');
  return description === undefined ? {} : { description };
}
