import {
  accountName,
  isReceiver,
  type AccountId,
  type ConsumerName,
  type Generation,
  type ReceiverAcknowledged,
  type ReceiverAcknowledgement,
} from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import { acknowledgeAll, tellAhead } from '../acknowledge.js';
import { knownAccounts } from '../register.js';
import type { Shell } from '../shell.js';
import { membershipsOf } from '../sql/current-keys.js';
import { declarationOf } from '../sql/declare-consumer.js';
import { databaseTime } from '../sql/load-instances.js';
import { accountNotDeclared } from './may-register.js';
import { standingInstanceOf } from './standing-instance.js';

/** Takes the word of a declared receiver, as if its standing instance had said it. */
export async function receiverAcknowledges(
  shell: Shell,
  consumer: ConsumerName,
  { account: called, generation, drainedAt }: ReceiverAcknowledgement,
): Promise<ReceiverAcknowledged> {
  const declaration = await declarationOf(shell.db, consumer);
  if (declaration === null || !isReceiver(declaration.channel)) {
    throw new HttpProblem(
      409,
      'not-a-receiver',
      `"${consumer}" is not declared with a subscription or a webhook: its instances register and acknowledge by themselves.`,
    );
  }
  const [account] = await knownAccounts(shell, [called]);
  if (account === undefined) throw new Error('One name gives one account.');
  if (!declaration.accounts.includes(account)) {
    throw accountNotDeclared(consumer, [account], declaration.accounts);
  }
  await assertPublished(shell, consumer, account, generation);
  const standing = standingInstanceOf(consumer);
  await acknowledgeAll(shell, [
    { account, ...standing, generation, drainedAt: drainedAt === undefined ? null : Date.parse(drainedAt) },
  ]);
  return { account, ...(await knownOf(shell, consumer, account)) };
}

/**
 * Refuses a generation that nobody was told of. A standing instance never ends, and what it acknowledged never
 * decreases: a number that is too high (a time, a slip) would hold every switch until that generation. A true one is
 * at most moments early, for the key is in the vault before the notifier hears of it; so it is worth a repetition.
 */
async function assertPublished(
  shell: Shell,
  consumer: ConsumerName,
  account: AccountId,
  generation: Generation,
): Promise<void> {
  const { published } = await knownOf(shell, consumer, account);
  if (generation <= published) return;
  const { instance } = standingInstanceOf(consumer);
  await shell.db.transaction().execute(async (trx) => {
    const at = await databaseTime(trx);
    await tellAhead(trx, shell, { account, consumer, instance, generation, published, at });
  });
  throw new HttpProblem(
    409,
    'generation-not-published',
    `generation: ${accountName(account)} is at ${published}, not yet at ${generation}. If the tag twinkey-generation of its secret says ${generation}, the notifier hears of it in a moment: say it again then.`,
  );
}

/** What the receiver is known to use, and what is published. */
async function knownOf(
  { db }: Shell,
  consumer: ConsumerName,
  account: AccountId,
): Promise<Omit<ReceiverAcknowledged, 'account'>> {
  const memberships = await membershipsOf(db, standingInstanceOf(consumer).instance);
  const known = memberships.find((one) => one.account === account);
  const nothing = 0 as Generation;
  return { acknowledged: known?.acknowledged ?? nothing, published: known?.generation ?? nothing };
}
