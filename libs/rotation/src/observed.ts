// What a rotator saw outside, as fingerprints. It lives as long as one hold of the account's lease.
import type { Fingerprint, KeySlot } from '@twinkey/contracts';
import type { KeyRing } from './key-ring.js';

export interface SeenKeys {
  readonly fingerprints: Readonly<Record<KeySlot, Fingerprint>>;
  /** The ring's revision when the look began. */
  readonly revision: number;
  /** When the look began, in milliseconds since 1970. */
  readonly at: number;
}

export interface SeenVault {
  /** `untagged`: someone else wrote the current version. */
  readonly current:
    | {
        readonly is: 'ours';
        readonly slot: KeySlot;
        readonly fingerprint: Fingerprint;
        readonly generation: number;
        readonly version: string;
      }
    | { readonly is: 'untagged'; readonly fingerprint: Fingerprint; readonly version: string }
    | { readonly is: 'missing' };
  readonly revision: number;
  readonly at: number;
}

export interface Observed {
  readonly keys: SeenKeys | null;
  readonly vault: SeenVault | null;
  /** What the data plane said of a key that is to be published, by fingerprint. */
  readonly probes: Readonly<Record<string, Probe>>;
  /** What it said of a key that is to be retired, asked after its slot was seen to hold another one. */
  readonly proofs: Readonly<Record<string, Probe>>;
  /** Keys that are to be retired and whose value nobody knows any more: the list is their only witness. */
  readonly forgotten: readonly Fingerprint[];
}

export interface Probe {
  readonly verdict: 'accepted' | 'refused';
  readonly tries: number;
  readonly at: number;
}

export const NOTHING_SEEN: Observed = { keys: null, vault: null, probes: {}, proofs: {}, forgotten: [] };

/** The keys, if they were listed after everything that may have changed them. */
export function freshKeys(ring: KeyRing, seen: Observed): SeenKeys | null {
  return seen.keys !== null && seen.keys.revision >= ring.keysFrom ? seen.keys : null;
}

export function freshVault(ring: KeyRing, seen: Observed): SeenVault | null {
  return seen.vault !== null && seen.vault.revision >= ring.vaultFrom ? seen.vault : null;
}
