import { Lookout } from './lookout.js';
import { lookAt } from './settle.js';
import type { Shell } from './shell.js';
import { dueAccounts } from './sql/due-accounts.js';

const accountsPerRound = 500;
const atOnce = 2;

/**
 * Looks at every account whose time has come, and at those whose nudges nobody took: the process that wrote them may
 * be gone. Accounts that another replica looks at right now are left to it.
 */
export async function watchAccounts(shell: Shell): Promise<void> {
  const lookout = new Lookout((account) => lookAt(shell, account, { skipLocked: true }), atOnce, shell.log);
  (await dueAccounts(shell.db, accountsPerRound)).forEach(lookout.soon);
  await lookout.idle();
}
