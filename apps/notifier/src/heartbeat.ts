import type { AccountId, HeartbeatAnswer, HeartbeatRequest, InstanceId } from '@twinkey/contracts';
import { appendJournal } from '@twinkey/journal';
import { decideInstance, lapsesAt } from '@twinkey/key-switch';
import { HttpProblem } from '@twinkey/service';
import { acknowledgeAll } from './acknowledge.js';
import { staleBoot } from './register.js';
import type { Shell } from './shell.js';
import { membershipsOf } from './sql/current-keys.js';
import { findInstance } from './sql/find-instance.js';
import { databaseTime } from './sql/load-instances.js';
import type { Told } from './sql/load-told.js';
import { nudge } from './sql/nudge.js';
import { renewLease } from './sql/renew-lease.js';
import { returnInstance } from './sql/return-instance.js';

/**
 * Renews the lease, then tells the current generations, in this order and in two transactions. An instance with a
 * lease does not re-read the vault; if it were told first and renewed after, a newer generation could be asked for
 * and answered in between, while it still counted as lapsed.
 */
export async function heartbeat(
  shell: Shell,
  instance: InstanceId,
  { boot, accounts }: HeartbeatRequest,
): Promise<HeartbeatAnswer> {
  const { leaseSeconds } = shell.terms;
  if (!(await renewLease(shell.db, instance, boot, leaseSeconds, toldIn(accounts))))
    await revive(shell, instance, boot);
  const memberships = await membershipsOf(shell.db, instance);

  const said = memberships.flatMap((known) => {
    const now = accounts.find(({ account }) => account === known.account);
    if (now === undefined) return [];
    const drainedAt = now.drainedAt === undefined ? null : Date.parse(now.drainedAt);
    const news =
      now.generation > known.acknowledged ||
      (now.generation === known.acknowledged && (drainedAt ?? 0) > (known.drainedAt ?? 0));
    return news ? [{ account: known.account, instance, boot, generation: now.generation, drainedAt }] : [];
  });
  if (said.length > 0) await acknowledgeAll(shell, said);

  return {
    leaseSeconds,
    accounts: memberships.map(({ account, name, generation, secret }) => ({
      account,
      name,
      generation,
      secret,
    })),
  };
}

function toldIn(accounts: HeartbeatRequest['accounts']): Record<AccountId, Told> {
  return Object.fromEntries(
    accounts
      .filter(({ used, refusal }) => used !== undefined || refusal !== undefined)
      .map(({ account, used, refusal }) => [account, { used, refusal }]),
  );
}

/** The rarer heartbeats: of an instance whose silence was noticed, or of one that we do not know. */
async function revive(shell: Shell, instance: InstanceId, boot: string): Promise<void> {
  const accounts = await shell.db.transaction().execute(async (trx) => {
    const current = await findInstance(trx, instance);
    const now = await databaseTime(trx);
    const decision = decideInstance(current, { command: 'heartbeat', boot }, shell.terms, now);
    if (decision.refused === 'stale-boot') throw staleBoot(instance);
    if (decision.refused !== undefined || current === null) {
      throw new HttpProblem(
        410,
        'unknown-instance',
        `${instance} is not registered (any more). Register again, then read the key again.`,
      );
    }
    for (const event of decision.events) {
      if (event.event !== 'lease-renewed') continue;
      const { leaseUntil } = event;
      const lookAt = lapsesAt({ leaseUntil }, shell.terms) + 1;
      await returnInstance(trx, instance, { now, leaseUntil, lookAt });
      await appendJournal(trx, instance, [{ type: 'instance-returned', data: event, at: new Date(now) }]);
    }
    await nudge(trx, current.accounts);
    return current.accounts;
  });
  accounts.forEach(shell.lookSoon);
}
