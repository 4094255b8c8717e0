// What one rotator keeps in memory about an account while it works on it: what it saw, and for moments the keys.
import type { Fingerprint, KeySlot } from '@twinkey/contracts';
import { fingerprintOf, type SecretText, type SlotKeys } from '@twinkey/key-store';
import { NOTHING_SEEN, type KeyRing, type Observed, type Probe, type SeenVault } from '@twinkey/rotation';

export class Hold {
  seen: Observed = NOTHING_SEEN;
  readonly #values = new Map<Fingerprint, SecretText>();
  #expiry: NodeJS.Timeout | undefined;

  constructor(
    private readonly salt: SecretText,
    readonly since: number,
  ) {}

  /** Has `forget` called when nobody asks for the hold again within `ms`. */
  expireIn(ms: number, forget: () => void): void {
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(forget, ms).unref();
  }

  /** The account's keys, listed or answered when the ring stood at `revision`; `at`: when the look began. */
  sawKeys(keys: SlotKeys, revision: number, at: number): Readonly<Record<KeySlot, Fingerprint>> {
    const fingerprints = { key1: this.#keep(keys.key1), key2: this.#keep(keys.key2) };
    this.seen = { ...this.seen, keys: { fingerprints, revision, at } };
    return fingerprints;
  }

  /** Nothing was executed: what was listed before the intent is as good as it was. */
  stillSeesKeys(ring: KeyRing): void {
    if (this.seen.keys !== null)
      this.seen = { ...this.seen, keys: { ...this.seen.keys, revision: ring.revision } };
  }

  sawVault(current: SeenVault['current'], revision: number, at: number): void {
    this.seen = { ...this.seen, vault: { current, revision, at } };
  }

  sawProbe(kind: 'probes' | 'proofs', fingerprint: Fingerprint, verdict: Probe['verdict'], at: number): void {
    const tries = (this.seen[kind][fingerprint]?.tries ?? 0) + 1;
    this.seen = { ...this.seen, [kind]: { ...this.seen[kind], [fingerprint]: { verdict, tries, at } } };
  }

  /** The value of a key that is to be retired is gone from memory: only the list can tell that it is dead. */
  forgot(fingerprint: Fingerprint): void {
    this.seen = { ...this.seen, forgotten: [...this.seen.forgotten, fingerprint] };
  }

  /** The same keys, and everything else is to be looked at again. */
  withNothingSeen(since: number): Hold {
    clearTimeout(this.#expiry);
    const hold = new Hold(this.salt, since);
    for (const [fingerprint, value] of this.#values) hold.#values.set(fingerprint, value);
    return hold;
  }

  /** A key that was read, so that the data plane can be asked about it. */
  keep(key: SecretText): void {
    this.#keep(key);
  }

  fingerprintOf(key: SecretText): Fingerprint {
    return fingerprintOf(key, this.salt);
  }

  valueOf(fingerprint: Fingerprint): SecretText | undefined {
    return this.#values.get(fingerprint);
  }

  #keep(key: SecretText): Fingerprint {
    const fingerprint = this.fingerprintOf(key);
    this.#values.set(fingerprint, key);
    return fingerprint;
  }
}
