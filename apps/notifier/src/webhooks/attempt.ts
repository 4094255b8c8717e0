import { deliver, type AllowList, type Lookup, type Outcome } from '@twinkey/webhook';
import { MESSAGE_CONTENT_TYPE } from '@twinkey/contracts';
import { isTracing, outsideTraces, span } from '@twinkey/service';
import { acknowledgeAll } from '../acknowledge.js';
import type { Shell } from '../shell.js';
import { acknowledgedIn } from './answer.js';
import { nextAttemptAt } from './retry-schedule.js';
import { DEFAULT_SECRET, readSecrets } from './secrets.js';
import { recordAttempt, termsOf, type Claimed, type Ended } from './sql/attempts.js';

/** How webhooks are sent. */
export interface Post {
  readonly allow: AllowList;
  readonly secretsFolder: string | undefined;
  /** Everything of an attempt, from the look-up of the name to the last byte of the answer. */
  readonly limitMs: number;
  readonly lookup?: Lookup;
  /** At least 0 and below 1. */
  readonly chance: () => number;
}

/** Makes an attempt that was claimed, and writes down how it ended. */
export async function makeAttempt(
  shell: Shell,
  post: Post,
  claimed: Claimed,
  signal: AbortSignal,
): Promise<void> {
  const { consumer, event, attempts, account, instance, boot, generation } = claimed;
  const from = performance.now();
  const outcome = await traced(claimed, () => send(post, claimed, signal));
  shell.metrics.observe('twinkey_webhook_attempt_seconds', {}, (performance.now() - from) / 1_000);
  const said = outcome.outcome === 'delivered' && account !== null ? acknowledgedIn(outcome.answer()) : null;
  // Only what was asked about: a number that is too high (a time, a mistake) could never be taken back, and the
  // receiver would hold every switch until then.
  const acknowledged = said !== null && said.generation === generation;
  // First the acknowledgement, then the note that there was one: whoever dies in between asks once more.
  if (acknowledged && account !== null) await acknowledgeAll(shell, [{ account, instance, boot, ...said }]);

  const ended = await shell.db.transaction().execute(async (trx) => {
    const terms = await termsOf(trx, claimed);
    if (terms === null) return null;
    const ended = endOf(outcome, {
      acknowledged,
      test: claimed.kind === 'test',
      ...terms,
      tries: claimed.tries,
      chance: post.chance(),
    });
    await recordAttempt(trx, claimed, ended);
    return ended;
  });
  if (ended === null) return;
  // A lost one is found by somebody else, and ended long ago.
  if (ended.outcome !== 'lost')
    shell.metrics.count('twinkey_webhook_attempts_total', { outcome: ended.outcome });
  const { why, status, detail, state, nextAt } = ended;
  const told = { consumer, event, attempt: attempts, outcome: ended.outcome, state };
  if (ended.outcome === 'retry' || ended.outcome === 'stop') {
    const next = nextAt === null ? null : new Date(nextAt).toISOString();
    shell.log.warn({ ...told, why, status, detail, next }, 'A webhook was not delivered');
  } else {
    shell.log.info({ ...told, status }, 'A webhook was delivered');
  }
}

/** In the trace that the message itself tells its receiver. */
function traced<Result>({ body, attempts }: Claimed, work: () => Promise<Result>): Promise<Result> {
  if (!isTracing()) return work();
  const { traceparent } = JSON.parse(body) as { traceparent?: string };
  if (traceparent === undefined) return outsideTraces(work);
  return span('send webhook', { traceparent, kind: 'client' }, { 'twinkey.attempt': attempts }, work);
}

async function send(post: Post, claimed: Claimed, signal: AbortSignal): Promise<Outcome | Unsigned> {
  const { url, event, body, signature, secret } = claimed;
  const read = await readSecrets(post.secretsFolder, { name: secret ?? DEFAULT_SECRET, kind: signature });
  if (read.secrets === undefined) return { outcome: 'retry', why: 'secret-missing', detail: read.problem };
  return deliver(
    { url, id: event, body, contentType: MESSAGE_CONTENT_TYPE, secrets: read.secrets },
    {
      allow: post.allow,
      limitMs: post.limitMs,
      userAgent: 'twinkey-notifier',
      signal,
      ...(post.lookup === undefined ? {} : { lookup: post.lookup }),
    },
  );
}

/** Nothing was sent: an unsigned message would teach receivers to take such. */
interface Unsigned {
  readonly outcome: 'retry';
  readonly why: 'secret-missing';
  readonly detail: string;
  readonly status?: never;
  readonly retryAfterMs?: never;
}

interface Circumstances {
  readonly acknowledged: boolean;
  readonly test: boolean;
  readonly tries: number;
  readonly now: number;
  readonly deadlineAt: number;
  readonly untilAt: number;
  readonly chance: number;
}

/** What an outcome means for the delivery and its endpoint. */
export function endOf(outcome: Outcome | Unsigned, circumstances: Circumstances): Ended {
  const { acknowledged, test, now } = circumstances;
  const nothing = { why: null, detail: null, nextAt: null, restUntil: null, gone: false };
  if (outcome.outcome === 'delivered') {
    const state = acknowledged ? 'acknowledged' : 'delivered';
    return { ...nothing, outcome: state, status: outcome.status, state };
  }
  const { why, detail, status = null } = outcome;
  const failed = { ...nothing, outcome: outcome.outcome, why, detail, status };
  if (test) return { ...failed, state: 'given-up', gone: outcome.outcome === 'stop' };
  // It waits in the line: the declaration may get another URL, or a person says that it is back.
  if (outcome.outcome === 'stop') return { ...failed, state: 'waiting', nextAt: now, gone: true };
  // The process ends: another one, or the next, takes it up at once.
  if (why === 'interrupted') return { ...failed, state: 'waiting', nextAt: now };

  const { retryAfterMs } = outcome;
  const nextAt = nextAttemptAt({ ...circumstances, retryAfterMs });
  const asked = retryAfterMs !== undefined && retryAfterMs > 0;
  return {
    ...failed,
    state: nextAt === null ? 'given-up' : 'waiting',
    nextAt,
    // Everything else for this endpoint rests as well, as long as this message does.
    restUntil: asked ? nextAt : null,
  };
}
