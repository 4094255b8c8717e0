import type { Fingerprint, HaltReason, KeySlot } from '@twinkey/contracts';
import type { RingEvent, Waiting } from './events.js';

export type Fingerprints = Readonly<Record<KeySlot, Fingerprint>>;

export type Next =
  /** Nothing is owed. */
  | { readonly do: 'rest' }
  | { readonly do: 'list-keys' }
  | { readonly do: 'read-vault' }
  /** Ask the data plane about a slot's key as listed. */
  | { readonly do: 'probe'; readonly slot: KeySlot; readonly fingerprint: Fingerprint }
  /** Ask the data plane about the old key of a slot; its value may be forgotten. */
  | { readonly do: 'prove-retired'; readonly slot: KeySlot; readonly fingerprint: Fingerprint }
  | { readonly do: 'record'; readonly event: RingEvent }
  | { readonly do: 'regenerate'; readonly slot: KeySlot; readonly before: Fingerprints }
  | {
      readonly do: 'publish';
      readonly slot: KeySlot;
      readonly fingerprint: Fingerprint;
      readonly generation: number;
    }
  | { readonly do: 'ask-switch'; readonly request: number }
  | { readonly do: 'wait'; readonly what: Waiting }
  | { readonly do: 'halt'; readonly reason: HaltReason; readonly detail: string; readonly remedy: string };

export function wait(what: Waiting): Next {
  return { do: 'wait', what };
}

export function record(event: RingEvent): Next {
  return { do: 'record', event };
}
