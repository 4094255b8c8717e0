// Whether an account can do without keys, from what its consumers told. Pure: a verdict must be explainable.
import type { ConsumerUse } from '@twinkey/contracts';

export type Verdict = 'safe' | 'unsafe' | 'unknown';

/** What is known of an account's consumers. */
export interface KnownUse {
  /** null: the notifier has never told. */
  readonly told: readonly ConsumerUse[] | null;
  readonly toldAt: Date | null;
  /** Declared consumers of the account, and how many live instances each must have. */
  readonly declared: readonly { readonly consumer: string; readonly minimum: number }[];
}

export interface JudgedConsumer {
  readonly consumer: string;
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  /** undefined: nothing was told of it. */
  readonly use: ConsumerUse | undefined;
  readonly minimum: number;
}

export interface Judgement {
  readonly verdict: Verdict;
  /** What concerns no single consumer. */
  readonly reasons: readonly string[];
  readonly consumers: readonly JudgedConsumer[];
}

/** The notifier tells every five minutes, changed or not. */
const STALE_AFTER_MS = 15 * 60_000;

/** `quietMs`: for how long nobody may have shown a key. What is not known is never safe. */
export function judgeKeyless(
  { told, toldAt, declared }: KnownUse,
  { quietMs, now }: { readonly quietMs: number; readonly now: Date },
): Judgement {
  const names = new Set([...(told ?? []), ...declared].map(({ consumer }) => String(consumer)));
  const consumers = [...names].sort().map((consumer) => {
    const use = told?.find((one) => one.consumer === consumer);
    const minimum = declared.find((one) => one.consumer === consumer)?.minimum ?? 0;
    return { consumer, use, minimum, ...judgeConsumer(use, minimum, quietMs, now) };
  });
  const reasons: string[] = [];
  if (toldAt === null) reasons.push('The notifier has not told what consumers use yet.');
  else if (now.getTime() - toldAt.getTime() > STALE_AFTER_MS && consumers.length > 0) {
    reasons.push(`The notifier has told nothing since ${toldAt.toISOString()}; is it running?`);
  }
  if (toldAt !== null && consumers.length === 0) {
    reasons.push('No consumer was ever seen on this account, so nobody knows who uses its keys.');
  }
  const verdicts = consumers.map(({ verdict }) => verdict);
  const verdict = verdicts.includes('unsafe')
    ? 'unsafe'
    : reasons.length > 0 || verdicts.includes('unknown')
      ? 'unknown'
      : 'safe';
  return { verdict, reasons, consumers };
}

function judgeConsumer(
  use: ConsumerUse | undefined,
  minimum: number,
  quietMs: number,
  now: Date,
): { verdict: Verdict; reasons: readonly string[] } {
  const isRecent = (at: string) => now.getTime() - Date.parse(at) < quietMs;
  const unsafe: string[] = [];
  const unknown: string[] = [];
  const { live = 0, lapsed = 0, silent = 0, receiver = false, used, shownAt, quietSince } = use ?? {};
  if (used?.bare === true) unsafe.push('It was handed the bare key; what it does with it is not counted.');
  if (shownAt !== undefined && isRecent(shownAt)) {
    unsafe.push(`It showed a key, or a token bought with one, last at ${shownAt}.`);
  } else if (quietSince !== undefined && isRecent(quietSince)) {
    unknown.push(`It has been watched without a key only since ${quietSince}.`);
  }
  if (receiver) unknown.push('It is a declared receiver: it is given keys and never says what it uses.');
  else if (live === 0) unknown.push('No instance of it is running, and it may come back with a key.');
  else if (silent > 0) unknown.push(`${silent} of its ${live} instances do not say what they use.`);
  if (live < minimum) unknown.push(`${live} of at least ${minimum} instances are there.`);
  if (lapsed > 0) unknown.push(`${lapsed} of its instances went silent and may still run.`);
  const verdict = unsafe.length > 0 ? 'unsafe' : unknown.length > 0 ? 'unknown' : 'safe';
  return { verdict, reasons: [...unsafe, ...unknown] };
}
