// Looks outside for the plan: the account's keys, the secret's current version, what the data plane accepts.
import { PermanentFault, type AccountSettings, type Fingerprint } from '@twinkey/contracts';
import {
  accountTag,
  probeKey,
  type AccountKeys,
  type CurrentSecret,
  type SecretShelf,
} from '@twinkey/key-store';
import type { KeyRing, Next, SeenVault } from '@twinkey/rotation';
import type { Hold } from './hold.js';

export type Look = Extract<Next, { do: 'list-keys' | 'read-vault' | 'probe' | 'prove-retired' }>;

export interface Outside {
  readonly accountKeys: Pick<AccountKeys, 'listKeys' | 'regenerateKey' | 'writeDelayMs'>;
  readonly shelf: Pick<SecretShelf, 'current' | 'publish' | 'disableSuperseded'>;
  /** How the data plane is asked about a key; over HTTPS unless told. */
  readonly probe?: typeof probeKey;
  readonly deadlineMs: number;
  readonly clock: () => Date;
}

/** Puts the answer into `hold.seen`. Throws the faults of the adapters. */
export async function look(
  what: Look,
  ring: KeyRing,
  hold: Hold,
  settings: AccountSettings,
  outside: Outside,
): Promise<void> {
  const { accountKeys, shelf, deadlineMs, clock } = outside;
  const at = clock().getTime();
  switch (what.do) {
    case 'list-keys':
      hold.sawKeys(await accountKeys.listKeys(ring.account, { deadlineMs }), ring.revision, at);
      return;
    case 'read-vault': {
      const current = await shelf.current(settings.secret, { deadlineMs });
      hold.sawVault(currentOf(current, hold, settings), ring.revision, at);
      return;
    }
    case 'probe':
      await probe('probes', what.fingerprint, hold, settings, outside);
      return;
    case 'prove-retired':
      await probe('proofs', what.fingerprint, hold, settings, outside);
      return;
    default:
      throw new Error('unknown look');
  }
}

async function probe(
  kind: 'probes' | 'proofs',
  fingerprint: Fingerprint,
  hold: Hold,
  settings: AccountSettings,
  { deadlineMs, clock, probe: ask = probeKey }: Outside,
): Promise<void> {
  const key = hold.valueOf(fingerprint);
  if (key === undefined) {
    if (kind === 'probes') throw new Error('a key is to be verified whose value was never listed');
    hold.forgot(fingerprint);
    return;
  }
  const answer = await ask(settings.endpoint, key, { deadlineMs, kind: settings.kind });
  if (answer === 'keys-disabled') {
    throw new PermanentFault('local-auth-disabled', 'The account accepts no keys (disableLocalAuth is set).');
  }
  hold.sawProbe(kind, fingerprint, answer, clock().getTime());
}

/** A version counts as ours only if its tags are complete and name the very key that it holds. */
function currentOf(
  current: CurrentSecret | 'missing' | 'deleted' | 'disabled',
  hold: Hold,
  settings: AccountSettings,
): SeenVault['current'] {
  if (current === 'missing' || current === 'disabled') return { is: 'missing' };
  if (current === 'deleted') {
    throw new PermanentFault(
      'secret-unusable',
      `The secret ${settings.secret.name} is deleted but not purged.`,
      {
        remedy: `Recover it: az keyvault secret recover --name ${settings.secret.name} --vault-name <vault>.`,
      },
    );
  }
  const { version, tags } = current;
  hold.keep(current.value);
  const fingerprint = hold.fingerprintOf(current.value);
  if (tags === null) return { is: 'untagged', fingerprint, version };
  if (tags.account !== accountTag(settings.account)) {
    throw new PermanentFault(
      'secret-unusable',
      `The secret ${settings.secret.name} belongs to another account, ${tags.account}.`,
      {
        remedy: 'Give each account a secret of its own in the configuration.',
      },
    );
  }
  if (tags.fingerprint !== fingerprint) return { is: 'untagged', fingerprint, version };
  return { is: 'ours', slot: tags.slot, fingerprint, generation: tags.generation, version };
}
