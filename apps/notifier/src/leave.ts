import type { InstanceId } from '@twinkey/contracts';
import { appendJournal } from '@twinkey/journal';
import { decideInstance } from '@twinkey/key-switch';
import { HttpProblem } from '@twinkey/service';
import type { Shell } from './shell.js';
import { findInstance } from './sql/find-instance.js';
import { forgetInstances } from './sql/forget-instances.js';
import { databaseTime } from './sql/load-instances.js';
import { nudge } from './sql/nudge.js';
import { subscriptionsFor, withdraw } from './subscriptions.js';

/** Takes a goodbye: from now on nobody waits for this instance. One that is not known left before; that is fine. */
export async function leave(shell: Shell, instance: InstanceId): Promise<void> {
  const left = await shell.db.transaction().execute(async (trx) => {
    const current = await findInstance(trx, instance);
    const now = await databaseTime(trx);
    const { events } = decideInstance(current, { command: 'leave' }, shell.terms, now);
    if (current === null || events === undefined) return null;
    if (current.channel === 'subscription' || current.channel === 'webhook') {
      throw new HttpProblem(
        403,
        'declared-as-receiver',
        `${instance} stands for the declared receiver "${current.consumer}". Withdraw the declaration instead.`,
      );
    }
    await forgetInstances(trx, [instance]);
    await appendJournal(
      trx,
      instance,
      events.map((event) => ({ type: event.event, data: event, at: new Date(now) })),
    );
    await nudge(trx, current.accounts);
    return current;
  });
  if (left === null) return;
  left.accounts.forEach(shell.lookSoon);
  if (left.channel === 'service-bus') {
    await withdraw(shell, subscriptionsFor(instance, left.accounts, shell.shards));
  }
}
