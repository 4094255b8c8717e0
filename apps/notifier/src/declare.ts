import type { Message, RegistryEvent } from '@twinkey/contracts';
import { rememberMessage } from '@twinkey/journal';
import type { Shell } from './shell.js';
import { declareAccount } from './sql/declare-account.js';

/** Learns from the scheduler which accounts there are. What others say on the topic is none of our business. */
export async function declare(shell: Shell, message: Message<RegistryEvent>): Promise<void> {
  const { what, version } = message.data;
  if (what.event !== 'account-declared' && what.event !== 'account-withdrawn') return;
  await shell.db.transaction().execute(async (trx) => {
    if (!(await rememberMessage(trx, 'registry-event', message.id))) return;
    if (what.event === 'account-declared') {
      await declareAccount(trx, what.settings.account, { version, secret: what.settings.secret });
    } else {
      await declareAccount(trx, what.account, { version, secret: null });
    }
  });
}
