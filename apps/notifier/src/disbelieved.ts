// Whether an acknowledgement comes from whom it names. What it says is judged after that.
import type { ConsumerName, KeyAcknowledged } from '@twinkey/contracts';
import { isSigned } from './signed.js';

export type Disbelief = 'unknown-instance' | 'not-signed';

interface Claimed {
  /** Absent when the instance said it in its heartbeat. */
  readonly consumer?: ConsumerName;
  /** Absent likewise: a heartbeat has proved itself by its token. */
  readonly message?: { readonly data: KeyAcknowledged };
}

interface Registered {
  readonly current: { readonly consumer: ConsumerName };
  /** With which the instance signs what it says over the bus; null: it registered none. */
  readonly voice: Buffer | null;
}

/**
 * Why an acknowledgement counts for nothing, whatever it says; null: its instance has said it. Whoever may send to the
 * queue could name any instance: over the bus an acknowledgement counts by its signature.
 */
export function disbelieved(
  { consumer, message }: Claimed,
  { current, voice }: Registered,
  { asksForTokens }: { readonly asksForTokens: boolean },
): Disbelief | null {
  if (consumer !== undefined && consumer !== current.consumer) return 'unknown-instance';
  if (message === undefined) return null;
  const own = voice === null ? !asksForTokens : isSigned(message.data, voice);
  return own ? null : 'not-signed';
}
