// What people are told of an account's consumers, and when.
import type { ConsumerName, Generation } from '@twinkey/contracts';
import { census, type ConsumerCount, type Expectation, type Instance, type Terms } from '@twinkey/key-switch';
import type { Escalated } from './declared/escalation.js';
import { moment } from './messages.js';
import type { LockedAccount } from './sql/lock-account.js';

/** Many instances move within moments; people need one report of it, not one per instance. */
const reportDebounceMs = 1_000;

export interface Progress extends ConsumerCount {
  readonly escalated?: { readonly to: string; readonly since: string };
}

/** How far each consumer has moved, and which keep their switch waiting for too long. */
export function progressOf(
  instances: readonly Instance[],
  generation: Generation,
  terms: Terms,
  now: number,
  expected: readonly Expectation[],
  escalated: ReadonlyMap<ConsumerName, Escalated>,
): readonly Progress[] {
  return census(instances, generation, terms, now, expected).map((count) => {
    const one = escalated.get(count.consumer);
    return one === undefined ? count : { ...count, escalated: { to: one.to, since: moment(one.since) } };
  });
}

interface Report {
  readonly due: boolean;
  /** When one is due; null: nothing is to be told. */
  readonly at: number | null;
  readonly version: number;
  readonly text: string | null;
  /** Who is told as escalated for the first time. */
  readonly escalated: readonly { readonly consumer: ConsumerName; readonly to: string }[];
}

export function reportOf(
  { reportAt, reportedVersion: version, reported }: LockedAccount,
  counted: { readonly generation: Generation; readonly consumers: readonly Progress[] },
  now: number,
  heard: boolean,
): Report {
  const text = JSON.stringify(counted);
  const nobody: Report['escalated'] = [];
  if (text === reported) return { due: false, at: null, version, text, escalated: nobody };
  // Time alone escalates, and that does not wait until somebody says something.
  const before = new Set(escalatedIn(reported).map(({ consumer, since }) => `${consumer} ${since}`));
  const escalated = escalatedIn(text).filter(({ consumer, since }) => !before.has(`${consumer} ${since}`));
  if (escalated.length > 0 || (reportAt !== null && reportAt <= now)) {
    return { due: true, at: null, version: version + 1, text, escalated };
  }
  const at = reportAt ?? (heard ? now + reportDebounceMs : null);
  return { due: false, at, version, text: reported, escalated: nobody };
}

function escalatedIn(text: string | null): { consumer: ConsumerName; to: string; since: string }[] {
  if (text === null) return [];
  const { consumers } = JSON.parse(text) as { consumers: readonly Progress[] };
  return consumers.flatMap(({ consumer, escalated }) => (escalated ? [{ consumer, ...escalated }] : []));
}
