import { saidOfConsumer, type Message, type RegistryEvent } from '@twinkey/contracts';
import { rememberMessage } from '@twinkey/journal';
import { declareConsumer } from './declared/declare-consumer.js';
import type { Shell } from './shell.js';
import { declareAccount } from './sql/declare-account.js';

/** Learns which accounts and declared consumers there are. What else is said on the topic is none of our business. */
export async function declare(shell: Shell, message: Message<RegistryEvent>): Promise<void> {
  const { what, version } = message.data;
  const said = saidOfConsumer(message.data);
  if (said !== null) {
    await declareConsumer(shell, said, message.id);
    return;
  }
  if (what.event !== 'account-declared' && what.event !== 'account-withdrawn') return;
  await shell.db.transaction().execute(async (trx) => {
    if (!(await rememberMessage(trx, 'registry-event', message.id))) return;
    if (what.event === 'account-declared') {
      const { account, secret, onlyDeclaredConsumers: onlyDeclared = false } = what.settings;
      await declareAccount(trx, account, { version, secret, onlyDeclared });
    } else {
      await declareAccount(trx, what.account, { version, secret: null });
    }
  });
}
