import { accountName, type AccountId } from '@twinkey/contracts';
import { record } from '@twinkey/journal';
import { outsideTraces, span } from '@twinkey/service';
import { evolveSwitch, missingOf, type SwitchEvent } from '@twinkey/key-switch';
import { advance } from './advance.js';
import { escalations } from './declared/escalation.js';
import { expectationOf } from './declared/expectations.js';
import { consumersChanged, messageOf } from './messages.js';
import { progressOf, reportOf } from './report.js';
import type { Shell } from './shell.js';
import { toldAbout } from './sql/load-told.js';
import { lockAccount, type LockedAccount } from './sql/lock-account.js';
import { saveAccount } from './sql/save-account.js';
import { takeStock } from './sql/take-stock.js';
import type { Trx } from './tables.js';

const NOTHING: Awaited<ReturnType<typeof toldAbout>> = new Map();

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
    if (locked !== null) await lookAtLocked(trx, shell, locked, { heard: false });
  });
}

/** The same within a transaction that has the account; `heard`: it took word of somebody, and left no nudge of it. */
export function lookAtLocked(
  trx: Trx,
  shell: Shell,
  locked: LockedAccount,
  { heard }: { heard: boolean },
): Promise<void> {
  return inTrace(locked, () => settle(trx, shell, locked, { asked: [], heard }));
}

/** While its question is open, a look stands in the trace of the rotation that put it, whoever made us look. */
function inTrace(
  { account, traceparent, switch: asked }: LockedAccount,
  look: () => Promise<void>,
): Promise<void> {
  if (asked === null || asked.answer?.outcome === 'acknowledged') return outsideTraces(look);
  const place = { rotationId: asked.rotationId ?? undefined, traceparent: traceparent ?? undefined };
  return span('look at switch', place, { 'twinkey.account': accountName(account) }, look);
}

/**
 * Brings a locked account up to date with `asked` and with everything that was said about it. The order matters:
 * the account is locked first, then stock is taken. What commits in between is seen or leaves its nudge behind.
 */
export async function settle(
  trx: Trx,
  shell: Shell,
  locked: LockedAccount,
  { asked, heard }: { readonly asked: readonly SwitchEvent[]; readonly heard: boolean },
): Promise<void> {
  const { account, traceparent, onOverdue } = locked;
  const { terms, shards, log } = shell;
  const { nudges, declared, instances, at } = await takeStock(trx, account);
  const askedAt = asked.length > 0 ? at : locked.askedAt;
  const expected = declared.map((declaration) => expectationOf(declaration, { askedAt, onOverdue }));

  const { current, events, said, lookAgainAt } = advance(
    asked.reduce(evolveSwitch, locked.switch),
    instances,
    terms,
    at,
    expected,
  );
  const recorded = [...asked, ...events];
  const told = said.some(({ say }) => say === 'outcome') ? await toldAbout(trx, account) : NOTHING;
  const outbox = said.map((one) => messageOf(one, { at, shards, traceparent, told }));

  const missing = current === null ? [] : missingOf(current, instances, terms, at, expected);
  const escalated = escalations(current, missing, declared, askedAt, at);
  const generation = current?.generation ?? locked.generation;
  const counted = {
    generation,
    consumers: progressOf(instances, generation, terms, at, expected, escalated.told),
  };
  const report = reportOf(locked, counted, at, heard || nudges > 0 || recorded.length > 0);
  if (report.due) {
    outbox.push(consumersChanged({ account, ...counted, version: report.version }, { at, shards }));
  }
  for (const { consumer, to } of report.escalated) {
    log.warn({ account, consumer, to, generation }, 'A consumer keeps a key switch waiting');
  }

  for (const { event } of recorded) count(shell, event);
  const saved = saveAccount(account, {
    switch: current,
    traceparent,
    lookAt: earliest(lookAgainAt, report.at, escalated.nextAt),
    reportAt: report.at,
    reportedVersion: report.version,
    reported: report.text,
    askedAt,
    onOverdue,
  });
  await record(trx, {
    events: [
      {
        stream: account,
        events: recorded.map((event) => ({ type: event.event, data: event, at: new Date(at) })),
      },
    ],
    messages: outbox,
    changes: [saved],
  });
}

const SWITCHES = {
  'switch-requested': 'requested',
  'key-change-announced': null,
  'switch-acknowledged': 'acknowledged',
  'switch-overdue': 'overdue',
} as const;

function count({ metrics }: Shell, event: SwitchEvent['event']): void {
  const outcome = SWITCHES[event];
  if (outcome !== null) metrics.count('twinkey_switches_total', { outcome });
}

function earliest(...moments: readonly (number | null)[]): number | null {
  const known = moments.filter((moment) => moment !== null);
  return known.length === 0 ? null : Math.min(...known);
}
