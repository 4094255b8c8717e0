// One account's key switch as data. Every time in this library is a number of milliseconds since the epoch, read
// from the database's clock; durations carry their unit in their name.
import type {
  AccountId,
  ConsumerName,
  Fingerprint,
  Generation,
  KeySlot,
  RotationId,
  SecretReference,
} from '@twinkey/contracts';

/** What was answered to the current request. `overdue` may still be followed by `acknowledged`, never the reverse. */
export type Answer =
  | { readonly outcome: 'overdue'; readonly at: number }
  | { readonly outcome: 'acknowledged'; readonly at: number; readonly openFrom: number };

/** The question that the rotator asked last about an account, and how far it is answered. */
export interface KeySwitch {
  readonly account: AccountId;
  readonly rotationId: RotationId | null;
  readonly generation: Generation;
  readonly request: number;
  readonly slot: KeySlot;
  readonly fingerprint: Fingerprint;
  readonly secret: SecretReference;
  readonly publishedAt: number;
  readonly deadlineAt: number;
  readonly drainSeconds: number;
  readonly withoutConsumers: 'wait' | 'rotate';
  readonly waived: readonly ConsumerName[];
  /** Whether key-changed went out for this request. */
  readonly announced: boolean;
  readonly answer: Answer | null;
}

/** What a request says: everything but what we did about it. */
export type Question = Omit<KeySwitch, 'announced' | 'answer'>;

interface Numbered {
  readonly generation: Generation;
  readonly request: number;
  readonly at: number;
}

export type SwitchEvent =
  | { readonly event: 'switch-requested'; readonly question: Question }
  | ({ readonly event: 'key-change-announced' } & Numbered)
  | ({ readonly event: 'switch-overdue'; readonly missing: number } & Numbered)
  | ({ readonly event: 'switch-acknowledged'; readonly openFrom: number } & Numbered);

/** Folds one event in. An event about another question than the current one changes nothing. */
export function evolveSwitch(current: KeySwitch | null, event: SwitchEvent): KeySwitch | null {
  if (event.event === 'switch-requested') return { ...event.question, announced: false, answer: null };
  if (current?.generation !== event.generation || current.request !== event.request) return current;
  switch (event.event) {
    case 'key-change-announced':
      return { ...current, announced: true };
    case 'switch-overdue':
      return { ...current, answer: current.answer ?? { outcome: 'overdue', at: event.at } };
    case 'switch-acknowledged':
      return { ...current, answer: { outcome: 'acknowledged', at: event.at, openFrom: event.openFrom } };
    default:
      return event satisfies never;
  }
}
