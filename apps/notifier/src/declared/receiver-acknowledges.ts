import {
  isReceiver,
  type ConsumerName,
  type Generation,
  type ReceiverAcknowledged,
  type ReceiverAcknowledgement,
} from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import { acknowledgeAll } from '../acknowledge.js';
import { knownAccounts } from '../register.js';
import type { Shell } from '../shell.js';
import { membershipsOf } from '../sql/current-keys.js';
import { declarationOf } from '../sql/declare-consumer.js';
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
  const standing = standingInstanceOf(consumer);
  await acknowledgeAll(shell, [
    { account, ...standing, generation, drainedAt: drainedAt === undefined ? null : Date.parse(drainedAt) },
  ]);
  const known = (await membershipsOf(shell.db, standing.instance)).find((one) => one.account === account);
  const nothing = 0 as Generation;
  return { account, acknowledged: known?.acknowledged ?? nothing, published: known?.generation ?? nothing };
}
