// Azure as one process reaches it: the same shapes as the clients of key-store, and the data plane behind `fetch`.
import { PermanentFault, TransientFault, type AccountId, type KeySlot } from '@twinkey/contracts';
import { SecretText, type AccountKeys, type FoundAccount, type SecretShelf } from '@twinkey/key-store';
import type { ReadVersion, Vault } from '@twinkey/consumer/session';
import type { Actor } from './actor.js';
import type { Account, Azure, SecretVersion } from './azure.js';
import { ask, attempt, type CallPorts } from './calls.js';
import { readTags, writeTags } from './tags.js';

export interface Outages {
  vault: boolean;
  arm: boolean;
}

export interface AzurePorts extends CallPorts {
  readonly azure: Azure;
  readonly outages: Outages;
  /** How old a list, or what a replica of the vault shows, may be. */
  readonly staleMs: number;
  /** How long the data plane may know nothing of a new key. */
  readonly planeLagMs: number;
  /** Somebody sent a call and does not know its end: it may be sent once more. */
  readonly onDoubt: (account: Account, what: 'regeneration' | 'publication') => void;
}

export const VAULT = 'https://vault.simulation.example';

export function endpointOf(name: string): string {
  return `https://${name}.simulation.example/`;
}

type RotatorKeys = Pick<AccountKeys, 'listKeys' | 'regenerateKey' | 'writeDelayMs'>;
type RotatorShelf = Pick<SecretShelf, 'current' | 'publish' | 'disableSuperseded'>;

export function accountKeysOf(ports: AzurePorts, actor: Actor): RotatorKeys {
  const { azure, faults, chance, timeline, planeLagMs } = ports;
  const down = (): boolean => ports.outages.arm;
  return {
    listKeys: (id: AccountId, { deadlineMs }) =>
      ask(ports, actor, { down, deadlineMs, fault: unreachable('Resource Manager') }, () => {
        const account = azure.account(id);
        if (faults.strikes('arm-throttled'))
          throw new TransientFault('throttled', '429', { retryAfterMs: chance.whole(1, 20) * 1_000 });
        const old = faults.strikes('list-stale') ? chance.between(0, ports.staleMs) : 0;
        const keys = account.keysAt(timeline.now - old);
        return { key1: new SecretText(keys.key1), key2: new SecretText(keys.key2) };
      }),
    regenerateKey: (id: AccountId, slot: KeySlot, budget) => {
      const account = azure.account(id);
      return attempt(
        ports,
        actor,
        `the regeneration of ${slot} of ${account.name}`,
        {
          throttled: 'arm-throttled',
          refused: 'arm-refused',
          unanswered: 'arm-unanswered',
          late: 'arm-late',
          lost: 'arm-lost',
          down,
        },
        budget,
        () => {
          const lag = faults.strikes('plane-lags') ? chance.between(100, planeLagMs) : 0;
          const keys = azure.regenerate(account, slot, 'twinkey', lag);
          return { key1: new SecretText(keys.key1), key2: new SecretText(keys.key2) };
        },
        () => {
          ports.onDoubt(account, 'regeneration');
        },
      );
    },
    writeDelayMs: () => 0,
  };
}

export function shelfOf(ports: AzurePorts, actor: Actor): RotatorShelf {
  const { azure, timeline } = ports;
  const down = (): boolean => ports.outages.vault;
  const reading = (deadlineMs: number) => ({ down, deadlineMs, fault: unreachable('Key Vault') });
  const named = (name: string): Account => {
    const account = azure.byName(name);
    if (account === undefined) throw new PermanentFault('access-refused', `there is no secret ${name}`);
    return account;
  };
  return {
    current: ({ name }, { deadlineMs }) =>
      ask(ports, actor, reading(deadlineMs), () => {
        const shown = shownVersion(ports, named(name));
        if (shown === undefined) return 'missing';
        return { version: shown.version, value: new SecretText(shown.value), tags: readTags(shown.tags) };
      }),
    publish: ({ name }, { value, tags }, budget) => {
      const account = named(name);
      return attempt(
        ports,
        actor,
        `the publication of ${tags.slot} of ${name} as generation ${tags.generation}`,
        { refused: 'vault-refused', unanswered: 'vault-unanswered', late: 'vault-late', down },
        budget,
        () => ({ version: azure.write(account, value.reveal(), writeTags(tags), false) }),
        () => {
          ports.onDoubt(account, 'publication');
        },
      );
    },
    disableSuperseded: () => ask({ ...ports, timeline }, actor, reading(5_000), () => 0), // a disabled old version is read by nobody
  };
}

/** For the scheduler, which only looks. */
export function accountsOf(ports: AzurePorts, actor: Actor): Pick<AccountKeys, 'account' | 'accounts'> {
  return {
    account: (id) =>
      ask(
        ports,
        actor,
        { down: () => ports.outages.arm, deadlineMs: 5_000, fault: unreachable('Resource Manager') },
        (): FoundAccount => {
          const { name } = ports.azure.account(id);
          return {
            account: id,
            name,
            kind: 'TextAnalytics',
            location: 'westeurope',
            endpoint: endpointOf(name),
            disableLocalAuth: false,
            tags: {},
          };
        },
      ),
    // eslint-disable-next-line @typescript-eslint/require-await, require-yield -- nobody discovers here
    accounts: async function* () {
      return;
    },
  };
}

/** For an instance of a consumer: reads the current version as the library's own reader does. */
export function vaultOf(
  ports: AzurePorts,
  actor: Actor,
  { isCut, onRead }: { readonly isCut: () => boolean; readonly onRead: () => void },
): Vault {
  const down = (): boolean => ports.outages.vault || isCut();
  return {
    read: async (id, { name }): Promise<ReadVersion> => {
      const wants = { down, deadlineMs: 10_000, fault: unreachable('Key Vault') };
      const version = await ask(ports, actor, wants, () => {
        const account = ports.azure.byName(name);
        return account === undefined ? undefined : shownVersion(ports, account);
      });
      if (version === undefined) return { kind: 'unreadable', why: 'missing' };
      const tags = readTags(version.tags);
      if (tags?.account !== id) return { kind: 'foreign' };
      onRead(); // a version that somebody wrote by hand tells nothing
      return { kind: 'published', generation: tags.generation, key: version.value };
    },
  };
}

function shownVersion(
  { faults, chance, timeline, staleMs }: AzurePorts,
  account: Account,
): SecretVersion | undefined {
  if (!faults.strikes('vault-stale')) return account.current;
  return account.versionAt(timeline.now - chance.between(0, Math.min(staleMs, VAULT_LAGS_MS)));
}

/** What instances that are cut off from the notifier rely on: a replica that is not older than this. */
const VAULT_LAGS_MS = 1_500;

/** The data plane, as the rotator's probe asks it. */
export function dataPlane(ports: AzurePorts): typeof globalThis.fetch {
  const { azure, timeline } = ports;
  return (input, init) => {
    const actor = timeline.actor;
    if (actor === null) throw new Error('nobody asks the data plane');
    const host = new URL(input instanceof Request ? input.url : input).hostname;
    const key = new Headers(init?.headers).get('Ocp-Apim-Subscription-Key') ?? '';
    const answer = (): Response => {
      const account = azure.byName(host.split('.', 1)[0] ?? '');
      return new Response('{}', { status: account?.accepts(key, timeline.now) === true ? 200 : 401 });
    };
    return ask(
      ports,
      actor,
      { down: () => false, deadlineMs: 5_000, fault: unreachable('data plane') },
      answer,
    );
  };
}

function unreachable(what: string): () => Error {
  return () => new TransientFault('outage', `${what} does not answer.`);
}
