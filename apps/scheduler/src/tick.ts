// The tick: judge the accounts whose time has come, ask the rotator about those that are due.
import { asked, judge } from '@twinkey/account';
import { appendOutbox, type OutboxMessage } from '@twinkey/journal';
import { accountDeclared, consumerDeclared, rotationDue } from './messages.js';
import { observe, whenToJudge } from './observe.js';
import { claimToJudge } from './sql/claim-to-judge.js';
import { claimToRepeat } from './sql/claim-to-repeat.js';
import { claimConsumersToRepeat } from './sql/declare-consumers.js';
import { moveAccounts, type Moved } from './sql/move-accounts.js';
import type { AccountRow, SchedulerDatabase } from './tables.js';

const CLAIM_AT_MOST = 1_000;

export interface Asked {
  readonly account: string;
  readonly rotationId: string;
  readonly why: string;
}

/**
 * Judges every account whose time has come. The message and the row that says it was sent are one commit, and the
 * row is locked from before the judgement: two schedulers never ask twice for one due time.
 */
export async function tick(database: SchedulerDatabase, clock: () => Date): Promise<readonly Asked[]> {
  const all: Asked[] = [];
  for (;;) {
    const now = clock();
    const { claimed, asks } = await database.kysely.transaction().execute(async (trx) => {
      const rows = await claimToJudge(trx, { now, atMost: CLAIM_AT_MOST });
      const decided = rows.map((row) => decide(row, now));
      await moveAccounts(trx, decided);
      await appendOutbox(
        trx,
        decided.flatMap(({ message }) => message),
      );
      return { claimed: rows.length, asks: decided.flatMap((each) => each.asks) };
    });
    all.push(...asks);
    if (claimed < CLAIM_AT_MOST) return all;
  }
}

interface Decided extends Moved {
  readonly message: readonly OutboxMessage[];
  readonly asks: readonly Asked[];
}

function decide(row: AccountRow, now: Date): Decided {
  const before = observe(row);
  const verdict = judge(before, now.getTime());
  if (verdict.do === 'wait') {
    return { observed: before, lookAt: whenToJudge(before, now), message: [], asks: [] };
  }
  const observed = asked(before, verdict, now.getTime());
  const times = timesAsked(observed);
  return {
    observed,
    lookAt: whenToJudge(observed, now),
    message: [rotationDue(row.account, verdict, times, now)],
    asks: [{ account: row.account, rotationId: verdict.rotationId, why: verdict.why }],
  };
}

/** A nudge must not pass for a repetition of the question itself. */
function timesAsked({ open }: Decided['observed']): string {
  if (open === null) return '1';
  return open.standing === 'asked' ? String(open.times) : `n${open.nudged?.times ?? 0}-${open.since}`;
}

const REPEAT_AFTER_MS = 180_000;
// Bounds what a large fleet costs: 20 a tick of 5 s are 4 a second, and 10,000 accounts take 42 minutes a round.
const REPEAT_AT_ONCE = 20;

/** Declares again what was declared long ago, so that a reader who lost its tables learns of everything. */
export async function repeatDeclarations(database: SchedulerDatabase, now: Date): Promise<number> {
  return database.kysely.transaction().execute(async (trx) => {
    const before = new Date(now.getTime() - REPEAT_AFTER_MS);
    const wanted = { now, before, atMost: REPEAT_AT_ONCE };
    const accounts = await claimToRepeat(trx, wanted);
    const consumers = await claimConsumersToRepeat(trx, wanted);
    await appendOutbox(trx, [
      ...accounts.flatMap((row) => accountDeclared(row, now)),
      ...consumers.flatMap((row) => consumerDeclared(row, now)),
    ]);
    return accounts.length + consumers.length;
  });
}
