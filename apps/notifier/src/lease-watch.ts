import { appendJournal } from '@twinkey/journal';
import { lapsesAt } from '@twinkey/key-switch';
import type { Shell } from './shell.js';
import { dueInstances } from './sql/due-instances.js';
import { forgetInstances } from './sql/forget-instances.js';
import { databaseTime } from './sql/load-instances.js';
import { membershipsAmong } from './sql/memberships-among.js';
import { noteLeases } from './sql/note-leases.js';
import { nudge } from './sql/nudge.js';
import { subscriptionsFor, withdraw } from './subscriptions.js';

/**
 * A silent instance costs every switch a wait of `rereadSeconds`, since it may be alive and only cut off from us.
 * After a day it is taken for dead. If it lives all the same, it meets one refused call, reads again and goes on.
 */
const forgottenAfterMs = 24 * 60 * 60 * 1000;
const batch = 500;

/** Notices silence: looks at the leases that are due, a batch at a time, until none is. */
export async function watchLeases(shell: Shell): Promise<void> {
  while ((await watchBatch(shell)) === batch);
}

async function watchBatch(shell: Shell): Promise<number> {
  const { due, memberships, forgotten } = await shell.db.transaction().execute(async (trx) => {
    const due = await dueInstances(trx, batch);
    const now = await databaseTime(trx);
    const alive = due.filter((one) => now <= lapsesAt(one, shell.terms));
    const silent = due.filter((one) => !alive.includes(one));
    const fresh = silent.filter(({ lapsedAt }) => lapsedAt === null);
    const forgotten = silent.filter(
      ({ lapsedAt }) => lapsedAt !== null && lapsedAt + forgottenAfterMs <= now,
    );

    await noteLeases(trx, [
      ...alive.map((one) => ({ ...one, lapsedAt: null, lookAt: lapsesAt(one, shell.terms) + 1 })),
      ...silent.map((one) => ({
        ...one,
        lapsedAt: one.lapsedAt ?? now,
        lookAt: (one.lapsedAt ?? now) + forgottenAfterMs,
      })),
    ]);
    for (const [type, ones] of [
      ['instance-lapsed', fresh],
      ['instance-forgotten', forgotten],
    ] as const) {
      for (const { instance } of ones) {
        await appendJournal(trx, instance, [{ type, data: { instance }, at: new Date(now) }]);
      }
    }
    const changed = [...fresh, ...forgotten].map(({ instance }) => instance);
    const memberships = await membershipsAmong(trx, changed);
    await forgetInstances(
      trx,
      forgotten.map(({ instance }) => instance),
    );
    await nudge(trx, [...new Set(memberships.map(({ account }) => account))]);
    return { due, memberships, forgotten };
  });

  for (const { account } of memberships) shell.lookSoon(account);
  for (const { instance, channel } of forgotten) {
    const accounts = memberships.filter((one) => one.instance === instance).map(({ account }) => account);
    if (channel === 'service-bus') await withdraw(shell, subscriptionsFor(instance, accounts, shell.shards));
  }
  return due.length;
}
