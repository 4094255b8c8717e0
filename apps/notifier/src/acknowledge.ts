import type {
  AccountId,
  ConsumerName,
  Generation,
  GenerationAhead,
  InstanceId,
  KeyAcknowledged,
  Message,
} from '@twinkey/contracts';
import { appendJournal, appendOutbox, rememberMessage } from '@twinkey/journal';
import { decideInstance, type InstanceRefusal } from '@twinkey/key-switch';
import { disbelieved, type Disbelief } from './disbelieved.js';
import { generationAhead, moment } from './messages.js';
import type { Shell } from './shell.js';
import { lockMembership } from './sql/lock-membership.js';
import { nudge } from './sql/nudge.js';
import { saveAcknowledgement } from './sql/save-acknowledgement.js';
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
export async function acknowledge(shell: Shell, message: Message<KeyAcknowledged>): Promise<void> {
  const { account, consumer, instance, boot, generation, drainedAt } = message.data;
  const moved = await shell.db.transaction().execute(async (trx) => {
    return keepAcknowledgement(trx, shell, {
      account,
      consumer,
      instance,
      boot,
      generation,
      drainedAt: drainedAt === undefined ? null : Date.parse(drainedAt),
      message,
    });
  });
  if (moved) shell.lookSoon(account);
}

/** Takes what a heartbeat says about several accounts, together. */
export async function acknowledgeAll(shell: Shell, said: readonly Acknowledged[]): Promise<void> {
  const moved = await shell.db.transaction().execute(async (trx) => {
    const accounts: AccountId[] = [];
    for (const one of said) {
      if (await keepAcknowledgement(trx, shell, one)) accounts.push(one.account);
    }
    return accounts;
  });
  moved.forEach(shell.lookSoon);
}

/**
 * Keeps an acknowledgement and nudges its account, without a lock on the account: a thousand instances may say it
 * at the same moment. Returns whether it told us something.
 */
async function keepAcknowledgement(trx: Trx, shell: Shell, said: Acknowledged): Promise<boolean> {
  const { account, instance, boot, generation, drainedAt } = said;
  const known = await lockMembership(trx, account, instance);
  if (known === null) return ignored(shell, said, 'unknown-instance');
  const why = disbelieved(said, known, shell);
  if (why !== null) return ignored(shell, said, why);
  // Only now: a forged message must not use up the id of the true one.
  if (said.message !== undefined && !(await rememberMessage(trx, 'key-acknowledged', said.message.id)))
    return false;

  const { current, published, now } = known;
  const command = { command: 'acknowledge', boot, generation, drainedAt, published } as const;
  const decision = decideInstance(current, command, shell.terms, now);
  if (decision.refused !== undefined) return ignored(shell, said, decision.refused);
  for (const event of decision.events) {
    if (event.event !== 'generation-acknowledged') continue;
    await saveAcknowledgement(trx, account, instance, event);
    await appendJournal(trx, instance, [
      { type: event.event, data: { account, ...event }, at: new Date(event.at) },
    ]);
    if (event.ahead) {
      const { consumer } = current;
      await tellAhead(trx, shell, { account, consumer, instance, generation, published, at: event.at });
    }
  }
  if (decision.events.length > 0) await nudge(trx, [account]);
  return decision.events.length > 0;
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
