import { PermanentFault, type Message, type SwitchRequested } from '@twinkey/contracts';
import { currentTraceparent } from '@twinkey/journal';
import { decideRequest } from '@twinkey/key-switch';
import { settle } from './settle.js';
import type { Shell } from './shell.js';
import { lockAccount } from './sql/lock-account.js';
import { rememberRequest } from './sql/remember-request.js';

/** Takes a request of the rotator; key-changed, and the answer if there is one already, leave with the same commit. */
export async function requestSwitch(shell: Shell, message: Message<SwitchRequested>): Promise<void> {
  const { account, generation, request } = message.data;
  await shell.db.transaction().execute(async (trx) => {
    if (!(await rememberRequest(trx, message.id, account))) return;
    const locked = await lockAccount(trx, account, { skipLocked: false });
    if (locked === null) throw new Error('The account was there a moment ago.');

    const decision = decideRequest(locked.switch, message.data);
    if (decision.refused === 'generation-reused') {
      throw new PermanentFault(
        'generation-reused',
        `Generation ${generation} of ${locked.account} was announced for another key before.`,
        { remedy: 'Compare the tags of the secret in Key Vault with the rotator’s key ring, then replay.' },
      );
    }
    if (decision.refused !== undefined) {
      shell.log.info({ account, generation, request, why: decision.refused }, 'A switch request came late');
      return;
    }
    const traceparent = message.traceparent ?? currentTraceparent() ?? null;
    const { onOverdue = null } = message.data;
    const asked = decision.events;
    await settle(trx, shell, { ...locked, traceparent, onOverdue }, { asked, heard: true });
  });
}
