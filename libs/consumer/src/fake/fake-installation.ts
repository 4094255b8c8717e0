// Notifier, Key Vault and bus in memory, as one session meets them.
import {
  AccountId,
  generation,
  type Generation,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  InstanceId,
  type KeyAcknowledged,
  type KeyChanged,
  type RegisterAnswer,
  TransientFault,
} from '@twinkey/contracts';
import type { Channel } from '../channel.js';
import type { Notifier } from '../notifier-client.js';
import type { ReadVersion, Vault } from '../vault-reader.js';

/** One account, as notifier and vault know it. */
export interface FakeAccount {
  readonly id: AccountId;
  readonly name: string;
  /** The generation that the notifier names. */
  announced: Generation;
  /** What the vault holds. */
  published: { readonly generation: Generation; readonly key: string } | undefined;
  /** What the instance acknowledged last. */
  acknowledged: Pick<KeyAcknowledged, 'generation' | 'drainedAt'> | undefined;
  /** Why it keeps an older key. */
  refusal: string | undefined;
}

const INSTANCE = InstanceId.parse('i-00000000000000fa');
const LEASE_SECONDS = 30;

export class FakeInstallation implements Notifier, Vault, Channel {
  readonly accounts: readonly FakeAccount[];
  /** The notifier answers. */
  isReachable = true;
  #announce: (announcement: KeyChanged) => void = () => undefined;

  constructor(names: readonly string[]) {
    this.accounts = names.map((name) => ({
      id: AccountId.parse(
        `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/fake/providers/Microsoft.CognitiveServices/accounts/${name}`,
      ),
      name: name.toLowerCase(),
      announced: generation(0),
      published: undefined,
      acknowledged: undefined,
      refusal: undefined,
    }));
  }

  /** By name or id. */
  find(asked: string): FakeAccount {
    const wanted = asked.toLowerCase();
    const found = this.accounts.find(({ id, name }) => id.toLowerCase() === wanted || name === wanted);
    if (found !== undefined) return found;
    throw new TypeError(
      `fakeTwinkey: account: "${asked}" is not one of its accounts. Name it when you make it.`,
    );
  }

  publish(account: FakeAccount, key: string): void {
    account.published = { generation: generation((account.published?.generation ?? 0) + 1), key };
  }

  announce(account: FakeAccount): void {
    const { id, published } = account;
    if (published === undefined) return;
    account.announced = published.generation;
    if (!this.isReachable) return;
    const publishedAt = '2026-01-01T00:00:00Z';
    this.#announce({ account: id, generation: published.generation, secret: secretOf(account), publishedAt });
  }

  register(): Promise<RegisterAnswer> {
    return this.#answer({
      instance: INSTANCE,
      leaseSeconds: LEASE_SECONDS,
      heartbeatSeconds: 10,
      rereadSeconds: 60,
      accounts: this.#current(),
      subscriptions: [],
    });
  }

  heartbeat(_: InstanceId, request: HeartbeatRequest): Promise<HeartbeatAnswer> {
    if (this.isReachable) {
      for (const { account, refusal } of request.accounts) this.find(account).refusal = refusal?.reason;
    }
    return this.#answer({ leaseSeconds: LEASE_SECONDS, accounts: this.#current() });
  }

  goodbye(): Promise<void> {
    return this.#answer(undefined);
  }

  read(id: AccountId): Promise<ReadVersion> {
    const { published } = this.find(id);
    return Promise.resolve(
      published === undefined ? { kind: 'unreadable', why: 'missing' } : { kind: 'published', ...published },
    );
  }

  listen(_: unknown, onKeyChanged: (announcement: KeyChanged) => void): Promise<void> {
    this.#announce = onKeyChanged;
    return Promise.resolve();
  }

  acknowledge({ account, generation: named, drainedAt }: KeyAcknowledged): Promise<void> {
    this.find(account).acknowledged = { generation: named, drainedAt };
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer<Answer>(answer: Answer): Promise<Answer> {
    return this.isReachable
      ? Promise.resolve(answer)
      : Promise.reject(new TransientFault('notifier-unreachable', 'lapse() was called'));
  }

  #current(): HeartbeatAnswer['accounts'] {
    return this.accounts.map((each) => ({
      account: each.id,
      name: each.name,
      generation: each.announced,
      secret: secretOf(each),
    }));
  }
}

function secretOf({ name }: FakeAccount): { vaultUrl: string; name: string } {
  return { vaultUrl: 'https://fake.vault.example', name };
}
