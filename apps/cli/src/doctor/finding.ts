// What one check of an installation found, and how it is told: one line, and the command that mends it below.
import type { Screen } from '../screen.js';

export type Outcome = 'ok' | 'failed' | 'skipped';

/** Which service needs it; `installation` is what all of them share. */
export type About = 'installation' | 'scheduler' | 'rotator' | 'notifier' | 'console';

export interface Finding {
  readonly about: About;
  /** What was looked at, so that the line reads as a promise: "may receive from queue rotation-due". */
  readonly check: string;
  readonly outcome: Outcome;
  /** Why it failed or was skipped, or what is good to know. Never a secret. */
  readonly detail?: string;
  /** What to run or write so that it holds. Every failed finding has one. */
  readonly mend?: string;
}

export interface Tally {
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
}

export function tally(findings: readonly Finding[]): Tally {
  const count = (outcome: Outcome) => findings.filter((each) => each.outcome === outcome).length;
  return { ok: count('ok'), failed: count('failed'), skipped: count('skipped') };
}

const WIDEST_OUTCOME = 'skipped'.length;
const WIDEST_ABOUT = 'installation'.length;

/** The lines of a report; two for a check that failed. */
export function linesOf(findings: readonly Finding[], paint: Screen['paint']): readonly string[] {
  const color = { ok: paint.green, failed: paint.red, skipped: paint.yellow } as const;
  return findings.flatMap(({ about, check, outcome, detail, mend }) => {
    const shown = color[outcome](outcome) + ' '.repeat(WIDEST_OUTCOME - outcome.length);
    const line = `${shown}  ${about.padEnd(WIDEST_ABOUT)}  ${check}${detail === undefined ? '' : `: ${detail}`}`;
    return mend === undefined ? [line] : [line, `${' '.repeat(WIDEST_OUTCOME + 2)}do: ${mend}`];
  });
}
