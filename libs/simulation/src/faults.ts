// What goes wrong, and how often. Each seed draws which kinds it has at all: evenly mixed worlds miss bugs that need
// much of one kind and nothing of another.
import type { Chance } from './chance.js';

/** Per kind: how often in a world that has it; the chance per occasion, or the number of times per hour. */
const USUAL = {
  'process-crash': 0.002,
  'crash-in-call': 0.06,
  'process-frozen': 2,
  'frozen-in-call': 0.05,
  'bus-outage': 0.8,
  'bus-unanswered': 0.02,
  'message-doubled': 0.05,
  'message-delayed': 0.08,
  'arm-throttled': 0.15,
  'arm-unanswered': 0.12,
  'arm-late': 0.12,
  'arm-lost': 0.1,
  'arm-refused': 0.1,
  'list-stale': 0.2,
  'vault-stale': 0.05,
  'vault-outage': 0.8,
  'vault-unanswered': 0.12,
  'vault-late': 0.1,
  'vault-refused': 0.1,
  'plane-lags': 0.3,
  'database-outage': 0.8,
  'commit-unknown': 0.004,
  'notifier-unanswered': 0.02,
  'clocks-skewed': 1,
  'consumer-crash': 1,
  'consumer-frozen': 1,
  'consumer-new': 1,
  'consumer-silent': 0.6,
  'consumer-vaultless': 1,
  'hand-regeneration': 0.7,
  'hand-secret': 0.7,
  'people-rotate': 2,
  'people-half': 0.6,
  'people-emergency': 0.7,
  'people-halt': 0.7,
  'people-replay': 3,
  'people-waive': 1,
} as const;

export type Kind = keyof typeof USUAL;
export const KINDS = Object.keys(USUAL) as readonly Kind[];

const LIKELY = 0.35;
const MUCH = 4;

export type Counts = Partial<Record<Kind | 'message-reordered', number>>;

export class Faults {
  /** Off: from then on the world is kind. */
  active = true;
  readonly counts: Counts = {};
  readonly #weights = new Map<Kind, number>();

  constructor(
    private readonly chance: Chance,
    { only }: { readonly only?: readonly Kind[] } = {},
  ) {
    const swarm = chance.split('swarm');
    for (const kind of KINDS) {
      const isOn = swarm.happens(LIKELY);
      // Who asks for a kind wants to see it.
      const weight = USUAL[kind] * (only === undefined ? swarm.magnitude(0.3, MUCH) : MUCH);
      if (only === undefined ? isOn : only.includes(kind)) this.#weights.set(kind, weight);
    }
  }

  /** The kinds that this world has. */
  get kinds(): readonly Kind[] {
    return [...this.#weights.keys()];
  }

  /** The chance per occasion, or the times per hour; 0 for a kind that this world does not have. */
  weight(kind: Kind): number {
    return this.active ? (this.#weights.get(kind) ?? 0) : 0;
  }

  /** Does it happen on this occasion? Counts it, if so. */
  strikes(kind: Kind): boolean {
    const weight = this.weight(kind);
    if (weight === 0 || !this.chance.happens(Math.min(0.8, weight))) return false;
    this.count(kind);
    return true;
  }

  count(kind: keyof Counts): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** Milliseconds until it happens next, by chance; null: never. */
  nextIn(kind: Kind): number | null {
    const perHour = this.weight(kind);
    return perHour === 0 ? null : (-Math.log(1 - this.chance.next()) * 3_600_000) / perHour;
  }
}
