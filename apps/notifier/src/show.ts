import {
  accountName,
  type AccountId,
  type ConsumerChannel,
  type ConsumerName,
  type InstanceId,
  type SwitchRefusal,
  type Used,
} from '@twinkey/contracts';
import { missingOf, standingOf, type Instance, type KeySwitch, type Standing } from '@twinkey/key-switch';
import { escalations } from './declared/escalation.js';
import { expectationOf } from './declared/expectations.js';
import { moment } from './messages.js';
import { knownAccounts } from './register.js';
import type { Shell } from './shell.js';
import { declaredConsumers, declaredFor, type DeclaredConsumer } from './sql/declare-consumer.js';
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
  /** The declared consumers of the account. */
  readonly declared: readonly ShownExpectation[];
}

interface ShownExpectation {
  readonly consumer: ConsumerName;
  readonly minimum: number;
  /** Whether the switch waits for more instances of it than there are. */
  readonly tooFew: boolean;
  readonly deadlineAt?: string;
  readonly onOverdue?: 'hold' | 'force';
  readonly escalated?: { readonly to: string; readonly since: string };
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
  const { current, askedAt, onOverdue } = await loadSwitch(shell.db, account);
  const declarations = await declaredFor(shell.db, account);
  const { instances, now } = await loadInstances(shell.db, account);
  const told = await toldAbout(shell.db, account);
  const shown = instances.map((instance) => {
    const standing = standingOf(instance, shell.terms, now);
    return { ...showInstance(instance, standing, current), ...told.get(instance.instance) };
  });
  const expected = declarations.map((one) => expectationOf(one, { askedAt, onOverdue }));
  const missing = current === null ? [] : missingOf(current, instances, shell.terms, now, expected);
  const { told: escalated } = escalations(current, missing, declarations, askedAt, now);
  const declared = expected.map(({ consumer, minimum, deadlineAt, onOverdue: own }): ShownExpectation => {
    const waits = escalated.get(consumer);
    return {
      consumer,
      minimum,
      tooFew: missing.some((one) => one.consumer === consumer && one.instance === undefined),
      ...(deadlineAt === null ? {} : { deadlineAt: moment(deadlineAt) }),
      ...(own === null ? {} : { onOverdue: own }),
      ...(waits === undefined ? {} : { escalated: { to: waits.to, since: moment(waits.since) } }),
    };
  });
  if (current === null) {
    return { account, state: 'nothing-published', generation: 0, instances: shown, declared };
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
    declared,
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
  readonly declared?: ShownDeclaration;
}

interface ShownDeclaration {
  /** The file, or whoever used the API. */
  readonly by: 'file' | 'api';
  readonly owner: string;
  readonly accounts: readonly string[];
  readonly minimumInstances: number;
  readonly channel: ConsumerChannel['kind'];
  readonly problems: readonly string[];
}

/** Every consumer that was declared or ever registered, by name. */
export async function showConsumers({ db, terms }: Shell): Promise<readonly ShownConsumer[]> {
  const now = await databaseTime(db);
  const consumers = await loadConsumers(db, now - terms.clockSkewSeconds * 1000);
  const told = await toldByConsumers(db);
  const declared = await declaredConsumers(db);
  return consumers.map(({ lastSeenAt, ...consumer }) => ({
    ...consumer,
    ...told.get(consumer.consumer),
    ...showDeclaration(declared.get(consumer.consumer)),
    ...(lastSeenAt === null ? {} : { lastSeenAt: moment(lastSeenAt) }),
  }));
}

function showDeclaration(declared: DeclaredConsumer | undefined): { declared?: ShownDeclaration } {
  if (declared === undefined) return {};
  const { by, problems, declaration } = declared;
  const { owner, accounts, minimumInstances, channel } = declaration;
  const names = accounts.map((account) => accountName(account));
  return { declared: { by, owner, accounts: names, minimumInstances, channel: channel.kind, problems } };
}
