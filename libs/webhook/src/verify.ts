import type { Verifier } from './secret.js';
import { signedContent } from './sign.js';

/** A message that somebody recorded is refused after this time; clocks may be as far apart. */
export const REPLAY_WINDOW_SECONDS = 5 * 60;

/** Each ed25519 signature costs some 0.1 ms to check: a header full of them must not cost more than a request. */
const MOST_SIGNATURES = 20;

export type Verified =
  | { readonly verified: true; readonly id: string; readonly at: Date }
  | { readonly verified: false; readonly why: NotVerified };

export type NotVerified =
  'header-missing' | 'timestamp-unreadable' | 'too-old' | 'too-new' | 'signature-unknown';

export interface Received {
  /** As Node has them; names in any case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Exactly as it came over the wire: what is parsed and written again has other bytes. */
  readonly body: string | Uint8Array;
}

/**
 * Whether one of the verifiers knows one of the signatures, and the attempt was made within the replay window. Whoever
 * must not do something twice keeps the ids of that window besides.
 */
export function verify(
  { headers, body }: Received,
  verifiers: readonly Verifier[],
  now: Date,
  { toleranceSeconds = REPLAY_WINDOW_SECONDS }: { readonly toleranceSeconds?: number } = {},
): Verified {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (id === null || timestamp === null || signatures === null) return refused('header-missing');
  if (!/^\d{1,12}$/.test(timestamp)) return refused('timestamp-unreadable');

  const seconds = Number(timestamp);
  const age = Math.floor(now.getTime() / 1000) - seconds;
  if (age > toleranceSeconds) return refused('too-old');
  if (age < -toleranceSeconds) return refused('too-new');

  const content = signedContent(id, timestamp, body);
  for (const signature of signatures.split(' ').slice(0, MOST_SIGNATURES)) {
    const comma = signature.indexOf(',');
    const [version, value] = [signature.slice(0, comma), signature.slice(comma + 1)];
    if (verifiers.some((one) => one.version === version && one.accepts(content, value))) {
      return { verified: true, id, at: new Date(seconds * 1000) };
    }
  }
  return refused('signature-unknown');
}

function refused(why: NotVerified): Verified {
  return { verified: false, why };
}

/** A header that was sent twice is as good as none: which of them was signed? */
function headerOf(headers: Received['headers'], name: string): string | null {
  const values = Object.entries(headers)
    .filter(([key, value]) => key.toLowerCase() === name && value !== undefined)
    .flatMap(([, value]) => value ?? []);
  const [only] = values;
  return values.length === 1 && only !== undefined && only !== '' ? only : null;
}
