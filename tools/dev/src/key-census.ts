// A process of its own that remembers the keys of the fleet before a rotation and asks the data plane about them
// afterwards: an outside witness that the old keys are dead. Key values stay in its memory.
import { AccountId } from '@twinkey/contracts';
import {
  AccountKeys,
  azureCredential,
  probeKey,
  type FoundAccount,
  type SecretText,
} from '@twinkey/key-store';

export type CensusQuestion =
  { readonly ask: 'remember'; readonly accounts: readonly string[] } | { readonly ask: 'check' };

export interface CensusAnswer {
  readonly keys: number;
  /** Remembered keys that the data plane still accepts, as `account/slot`. */
  readonly stillAccepted: readonly string[];
}

interface Remembered {
  readonly found: FoundAccount;
  readonly slot: string;
  readonly key: SecretText;
}

const DEADLINE_MS = 10_000;
const remembered: Remembered[] = [];

process.on('message', (question: CensusQuestion) => {
  void answer(question).then(
    (reply) => process.send?.(reply),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : 'the census failed');
      process.exit(1);
    },
  );
});
process.on('disconnect', () => {
  process.exit(0);
});

async function answer(question: CensusQuestion): Promise<CensusAnswer> {
  if (question.ask === 'remember') await remember(question.accounts);
  const stillAccepted: string[] = [];
  if (question.ask === 'check') {
    for (const { found, slot, key } of remembered) {
      const verdict = await probeKey(found.endpoint, key, { deadlineMs: DEADLINE_MS, kind: found.kind });
      if (verdict === 'accepted') stillAccepted.push(`${found.name}/${slot}`);
    }
  }
  return { keys: remembered.length, stillAccepted };
}

async function remember(accounts: readonly string[]): Promise<void> {
  const keys = new AccountKeys({
    credential: azureCredential({ disableInstanceDiscovery: true }),
    endpoint: process.env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? '',
  });
  for (const id of accounts) {
    const account = AccountId.parse(id);
    const found = await keys.account(account);
    const { key1, key2 } = await keys.listKeys(account, { deadlineMs: DEADLINE_MS });
    remembered.push({ found, slot: 'key1', key: key1 }, { found, slot: 'key2', key: key2 });
  }
}
