import { shortFingerprint } from '@twinkey/contracts';
import type { What } from './tables.js';

/** An event as it is shown: fingerprints shortened to their first 12 digits. */
export function shortEvent(what: What): { event: What['event'] } & Record<string, unknown> {
  switch (what.event) {
    case 'published':
    case 'retired':
      return { ...what, fingerprint: shortFingerprint(what.fingerprint) };
    case 'requested':
      return {
        ...what,
        retire: what.retire.map(({ slot, fingerprint }) => ({
          slot,
          fingerprint: shortFingerprint(fingerprint),
        })),
      };
    default:
      return { ...what };
  }
}
