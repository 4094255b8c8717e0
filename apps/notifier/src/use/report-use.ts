import type { AccountId, ConsumerUse } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import { moment, useTold } from '../messages.js';
import type { Shell } from '../shell.js';
import { databaseTime } from '../sql/load-instances.js';
import { claimUses, forgetPastUse, noteReported, type ReportedUse } from './account-uses.js';
import { countUse, noteShown, type CountedUse } from './load-use.js';

const accountsAtOnce = 200;
/**
 * Numbers grow with every call, and nobody needs each of them: what is told at once is that something is otherwise
 * than before. All the rest, and that nothing changed, is told this often; who hears nothing for longer knows less.
 */
const repeatAfterMs = 5 * 60_000;
/** A consumer that showed a key so recently is told as one that shows keys, whatever the number is. */
const recentlyMs = 5 * 60_000;
/** A job that runs once a month is still remembered when it comes back. */
const forgottenAfterMs = 32 * 24 * 3_600_000;

/**
 * Looks at what instances told of their use of keys and tells it on, account by account. Bounds what a fleet costs: an
 * account is looked at every `everyMs`, whatever its instances say meanwhile.
 */
export async function reportUses(shell: Shell, { everyMs }: { readonly everyMs: number }): Promise<void> {
  while ((await reportBatch(shell, everyMs)) === accountsAtOnce);
}

async function reportBatch({ db, shards, terms }: Shell, everyMs: number): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const due = await claimUses(trx, everyMs, accountsAtOnce);
    if (due.length === 0) return 0;
    const accounts = due.map(({ account }) => account);
    const now = await databaseTime(trx);
    await noteShown(trx, accounts);
    await forgetPastUse(trx, new Date(now - forgottenAfterMs));
    const counted = await countUse(trx, accounts, new Date(now - terms.clockSkewSeconds * 1000));
    for (const known of due) {
      const uses = counted.filter(({ account }) => account === known.account);
      const shape = shapeOf(uses, now);
      if (!isNews(known, shape, uses.length > 0, now)) continue;
      const version = await noteReported(trx, known.account, shape, now);
      await appendOutbox(trx, [messageFor(known.account, uses, version, now, shards)]);
    }
    return due.length;
  });
}

function isNews(
  { reported, reportedAt }: ReportedUse,
  shape: string,
  anybody: boolean,
  now: number,
): boolean {
  if (reported !== shape) return reported !== null || anybody;
  return anybody && (reportedAt === null || now - reportedAt >= repeatAfterMs);
}

/** What is worth being told at once. */
function shapeOf(uses: readonly CountedUse[], now: number): string {
  return JSON.stringify(
    uses.map(({ consumer, live, lapsed, silent, receiver, used, shownAt, quietSince, refusals }) => {
      const showsKeys = shownAt !== null && now - shownAt < recentlyMs;
      const kinds = used && { keys: used.key + used.token > 0, entra: used.entra > 0, bare: used.bare };
      const since = showsKeys ? null : quietSince;
      return { consumer, live, lapsed, silent, receiver, showsKeys, kinds, since, refusals };
    }),
  );
}

function messageFor(
  account: AccountId,
  uses: readonly CountedUse[],
  version: number,
  at: number,
  shards: number,
) {
  return useTold({ account, version, consumers: uses.map(tell) }, { at, shards });
}

function tell({
  consumer,
  live,
  lapsed,
  silent,
  receiver,
  used,
  refusals,
  ...times
}: CountedUse): ConsumerUse {
  const { shownAt, quietSince, lastSeenAt } = times;
  return {
    consumer,
    live,
    lapsed,
    silent,
    ...(receiver ? { receiver } : {}),
    ...(used === null ? {} : { used }),
    ...(shownAt === null ? {} : { shownAt: moment(shownAt) }),
    ...(quietSince === null ? {} : { quietSince: moment(quietSince) }),
    ...(lastSeenAt === null ? {} : { lastSeenAt: moment(lastSeenAt) }),
    ...(refusals.length === 0 ? {} : { refusals: [...refusals] }),
  };
}
