import type { AccountId, ConsumerName, InstanceId, SwitchRefusal, Used } from '@twinkey/contracts';
import { standingOf, type Instance, type KeySwitch, type Standing } from '@twinkey/key-switch';
import { moment } from './messages.js';
import { knownAccounts } from './register.js';
import type { Shell } from './shell.js';
import { loadConsumers } from './sql/load-consumers.js';
import { databaseTime, loadInstances } from './sql/load-instances.js';
import { toldAbout, toldByConsumers, type ToldByConsumer } from './sql/load-told.js';
import { loadSwitch } from './sql/load-switch.js';

export interface ShownSwitch {
  readonly account: AccountId;
  readonly state: 'nothing-published' | 'waiting' | 'overdue' | 'acknowledged';
  readonly generation: number;
  readonly request?: number;
  readonly slot?: string;
  readonly publishedAt?: string;
  readonly deadlineAt?: string;
  readonly openFrom?: string;
  readonly instances: readonly ShownInstance[];
}

interface ShownInstance {
  readonly instance: InstanceId;
  readonly consumer: ConsumerName;
  readonly standing: Standing;
  /** Whether the switch waits for it. */
  readonly missing: boolean;
  readonly waived: boolean;
  readonly acknowledged: number;
  readonly drainedAt?: string;
  readonly lastSeenAt: string;
  /** What it showed the account since its start. */
  readonly used?: Used | undefined;
  /** Its application keeps an older key for now. */
  readonly refusal?: SwitchRefusal | undefined;
}

/** How one account's switch stands. */
export async function showSwitch(shell: Shell, name: string): Promise<ShownSwitch> {
  const [account] = await knownAccounts(shell, [name]);
  if (account === undefined) throw new Error('One name gives one account.');
  const current = await loadSwitch(shell.db, account);
  const { instances, now } = await loadInstances(shell.db, account);
  const told = await toldAbout(shell.db, account);
  const shown = instances.map((instance) => {
    const standing = standingOf(instance, shell.terms, now);
    return { ...showInstance(instance, standing, current), ...told.get(instance.instance) };
  });
  if (current === null) {
    return { account, state: 'nothing-published', generation: 0, instances: shown };
  }
  const { generation, request, slot, publishedAt, deadlineAt, answer } = current;
  return {
    account,
    state: answer?.outcome ?? 'waiting',
    generation,
    request,
    slot,
    publishedAt: moment(publishedAt),
    deadlineAt: moment(deadlineAt),
    ...(answer?.outcome === 'acknowledged' ? { openFrom: moment(answer.openFrom) } : {}),
    instances: shown,
  };
}

function showInstance(
  { instance, consumer, acknowledged, drainedAt, seenAt }: Instance,
  standing: Standing,
  current: KeySwitch | null,
): ShownInstance {
  const waived = current?.waived.includes(consumer) ?? false;
  const moved = current === null || acknowledged === current.generation;
  return {
    instance,
    consumer,
    standing,
    missing: standing === 'live' && !moved && !waived,
    waived,
    acknowledged,
    ...(drainedAt === null ? {} : { drainedAt: moment(drainedAt) }),
    lastSeenAt: moment(seenAt),
  };
}

export interface ShownConsumer {
  readonly consumer: ConsumerName;
  readonly live: number;
  readonly lapsed: number;
  readonly accounts: readonly string[];
  readonly lastSeenAt?: string;
  /** What its instances showed their accounts since they started: whether it still needs keys. */
  readonly used?: ToldByConsumer['used'];
  /** Its applications keep older keys for now. */
  readonly refusals?: ToldByConsumer['refusals'];
}

/** Every consumer that ever registered, by name. */
export async function showConsumers({ db, terms }: Shell): Promise<readonly ShownConsumer[]> {
  const now = await databaseTime(db);
  const consumers = await loadConsumers(db, now - terms.clockSkewSeconds * 1000);
  const told = await toldByConsumers(db);
  return consumers.map(({ lastSeenAt, ...consumer }) => ({
    ...consumer,
    ...told.get(consumer.consumer),
    ...(lastSeenAt === null ? {} : { lastSeenAt: moment(lastSeenAt) }),
  }));
}
