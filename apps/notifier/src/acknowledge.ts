import type {
  AccountId,
  ConsumerName,
  Generation,
  GenerationAhead,
  InstanceId,
  KeyAcknowledged,
  Message,
} from '@twinkey/contracts';
import { appendOutbox, record } from '@twinkey/journal';
import { decideInstance, evolveInstance, type InstanceRefusal } from '@twinkey/key-switch';
import { disbelieved, type Disbelief } from './disbelieved.js';
import { generationAhead, moment } from './messages.js';
import { lookAtLocked } from './settle.js';
import type { Shell } from './shell.js';
import { lockAccount } from './sql/lock-account.js';
import { lockMemberships } from './sql/lock-memberships.js';
import { nudge } from './sql/nudge.js';
import { rememberAcknowledgements } from './sql/remember-acknowledgements.js';
import {
  acknowledgedEvents,
  saveAcknowledgements,
  type SaidByInstance,
} from './sql/save-acknowledgements.js';
import type { Trx } from './tables.js';

export interface Acknowledged {
  readonly account: AccountId;
  /** Absent when the instance said it in its heartbeat. */
  readonly consumer?: ConsumerName;
  readonly instance: InstanceId;
  readonly boot: string;
  readonly generation: Generation;
  readonly drainedAt: number | null;
  /** The message that said it, when it came over the bus; a heartbeat has proved itself by its token. */
  readonly message?: Message<KeyAcknowledged>;
}

/** Takes an acknowledgement from the bus. One that counts for nothing is completed all the same: it never will. */
export function acknowledge(shell: Shell, message: Message<KeyAcknowledged>): Promise<void> {
  return acknowledgeTogether(shell, message.data.account, [message]);
}

/**
 * Takes acknowledgements of one account that came over the bus together, in one transaction. Each of a thousand in its
 * own took 2.5 ms: seven exchanges with the database and a commit.
 *
 * The last of those that are at hand (there are no `more`) looks at the account as well, within the same transaction: a
 * look of its own is another commit and six more exchanges. Who finds the account taken leaves its nudge and waits for
 * nobody, so that memberships and account are never waited for in two orders.
 */
export async function acknowledgeTogether(
  shell: Shell,
  account: AccountId,
  messages: readonly Message<KeyAcknowledged>[],
  { more = false }: { more?: boolean } = {},
): Promise<void> {
  const said = messages.map((message) => {
    const { consumer, instance, boot, generation, drainedAt: until } = message.data;
    const drainedAt = until === undefined ? null : Date.parse(until);
    return { account, consumer, instance, boot, generation, drainedAt, message };
  });
  const lookAgain = await shell.db.transaction().execute(async (trx) => {
    if (!(await keepAcknowledgements(trx, shell, account, said))) return false;
    const locked = more ? null : await lockAccount(trx, account, { skipLocked: true });
    if (locked === null) await nudge(trx, [account]);
    else await lookAtLocked(trx, shell, locked, { heard: true });
    // During a burst a look at every turn would take more of the processor than the turns: the last one looks.
    return locked === null && !more;
  });
  if (lookAgain) shell.lookSoon(account);
}

/** Takes what a heartbeat says about several accounts, together. */
export async function acknowledgeAll(shell: Shell, said: readonly Acknowledged[]): Promise<void> {
  const accounts = [...new Set(said.map(({ account }) => account))].sort();
  const moved = await shell.db.transaction().execute(async (trx) => {
    const told: AccountId[] = [];
    for (const account of accounts) {
      const about = said.filter((one) => one.account === account);
      if (await keepAcknowledgements(trx, shell, account, about)) told.push(account);
    }
    await nudge(trx, told);
    return told;
  });
  moved.forEach(shell.lookSoon);
}

/**
 * Keeps what was acknowledged about an account, without a lock on the account: a thousand instances may say it at the
 * same moment. Each is judged by itself, in the order in which they were said. Returns whether any of them told us
 * something; then the account wants to be looked at.
 */
async function keepAcknowledgements(
  trx: Trx,
  shell: Shell,
  account: AccountId,
  all: readonly Acknowledged[],
): Promise<boolean> {
  const members = await lockMemberships(
    trx,
    account,
    all.map(({ instance }) => instance),
  );
  const believed = all.filter((said) => {
    const known = members.get(said.instance);
    const why = known === undefined ? 'unknown-instance' : disbelieved(said, known, shell);
    return why === null || ignored(shell, said, why);
  });
  const kept: SaidByInstance[] = [];
  for (const said of await heardFirst(trx, believed)) {
    const known = members.get(said.instance);
    if (known === undefined) continue;
    const { boot, generation, drainedAt, instance } = said;
    const { current, published, now } = known;
    const command = { command: 'acknowledge', boot, generation, drainedAt, published } as const;
    const decision = decideInstance(current, command, shell.terms, now);
    if (decision.refused !== undefined) {
      ignored(shell, said, decision.refused);
      continue;
    }
    for (const event of decision.events) {
      if (event.event !== 'generation-acknowledged') continue;
      kept.push({ instance, event });
      // It may have said more.
      members.set(instance, { ...known, current: evolveInstance(current, event) ?? current });
      if (event.ahead) {
        const { consumer } = current;
        await tellAhead(trx, shell, { account, consumer, instance, generation, published, at: event.at });
      }
    }
  }
  if (kept.length === 0) return false;
  await record(trx, {
    events: acknowledgedEvents(account, kept),
    changes: [saveAcknowledgements(account, kept)],
  });
  return true;
}

/**
 * Without what was delivered before. Asked of those only that are believed: a forged message must not use up the id of
 * the true one.
 */
async function heardFirst(trx: Trx, believed: readonly Acknowledged[]): Promise<readonly Acknowledged[]> {
  const ids = believed.flatMap(({ message }) => (message === undefined ? [] : [message.id]));
  const fresh = await rememberAcknowledgements(trx, ids);
  // Each id once, although the same message may be in here twice.
  return believed.filter(({ message }) => message === undefined || fresh.delete(message.id));
}

/** Tells the rotator that somebody uses what it has not told of: it may have published before it lost its memory. */
export async function tellAhead(
  trx: Trx,
  shell: Shell,
  { at, ...ahead }: Omit<GenerationAhead, 'at'> & { readonly at: number },
): Promise<void> {
  const { account, instance, generation, published } = ahead;
  shell.log.warn(
    { account, instance, generation, published },
    'An instance uses a generation that the rotator has not told of yet',
  );
  const circumstances = { at, shards: shell.shards, traceparent: null };
  await appendOutbox(trx, [generationAhead({ ...ahead, at: moment(at) }, circumstances)]);
}

function ignored(
  shell: Shell,
  { account, instance, generation }: Acknowledged,
  why: InstanceRefusal | Disbelief,
): false {
  shell.log.info({ account, instance, generation, why }, 'An acknowledgement counts for nothing');
  return false;
}
