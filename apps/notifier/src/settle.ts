import type { AccountId } from '@twinkey/contracts';
import { appendJournal, appendOutbox } from '@twinkey/journal';
import { census, evolveSwitch, type Expectation, type SwitchEvent } from '@twinkey/key-switch';
import { advance } from './advance.js';
import { consumersChanged, messageOf } from './messages.js';
import type { Shell } from './shell.js';
import { loadInstances } from './sql/load-instances.js';
import { lockAccount, type LockedAccount } from './sql/lock-account.js';
import { saveAccount } from './sql/save-account.js';
import { takeNudges } from './sql/take-nudges.js';
import type { Trx } from './tables.js';

/** Many instances move within moments; people need one report of it, not one per instance. */
const reportDebounceMs = 1_000;

/**
 * Looks at one account: what its switch owes now is said, and when to look again is noted, in one transaction.
 * With `skipLocked` an account that another replica looks at right now is left to it.
 */
export async function lookAt(
  shell: Shell,
  account: AccountId,
  { skipLocked }: { skipLocked: boolean },
): Promise<void> {
  await shell.db.transaction().execute(async (trx) => {
    const locked = await lockAccount(trx, account, { skipLocked });
    if (locked !== null) await settle(trx, shell, locked, []);
  });
}

/**
 * Brings a locked account up to date with `asked` and with everything that was said about it. The order matters:
 * the account is locked first, then the nudges are taken, then the instances are read. What commits in between is
 * seen by the read or leaves its nudge behind.
 */
export async function settle(
  trx: Trx,
  shell: Shell,
  locked: LockedAccount,
  asked: readonly SwitchEvent[],
): Promise<void> {
  const { account, traceparent } = locked;
  const { terms, shards } = shell;
  const nudges = await takeNudges(trx, account);
  const { instances, now: at } = await loadInstances(trx, account);
  const expected: readonly Expectation[] = [];

  const { current, events, said, lookAgainAt } = advance(
    asked.reduce(evolveSwitch, locked.switch),
    instances,
    terms,
    at,
    expected,
  );
  const recorded = [...asked, ...events];
  const outbox = said.map((one) => messageOf(one, { at, shards, traceparent }));

  const generation = current?.generation ?? locked.generation;
  const counted = { generation, consumers: census(instances, generation, terms, at, expected) };
  const report = reportOf(locked, JSON.stringify(counted), at, nudges > 0 || recorded.length > 0);
  if (report.due) {
    outbox.push(consumersChanged({ account, ...counted, version: report.version }, { at, shards }));
  }

  await appendJournal(
    trx,
    account,
    recorded.map((event) => ({ type: event.event, data: event, at: new Date(at) })),
  );
  await appendOutbox(trx, outbox);
  await saveAccount(trx, account, {
    switch: current,
    traceparent,
    lookAt: earliest(lookAgainAt, report.at),
    reportAt: report.at,
    reportedVersion: report.version,
    reported: report.text,
  });
}

function reportOf(locked: LockedAccount, text: string, now: number, heard: boolean) {
  const { reportAt, reportedVersion: version, reported } = locked;
  if (text === reported) return { due: false, at: null, version, text };
  if (reportAt !== null && reportAt <= now) return { due: true, at: null, version: version + 1, text };
  return { due: false, at: reportAt ?? (heard ? now + reportDebounceMs : null), version, text: reported };
}

function earliest(...moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}
