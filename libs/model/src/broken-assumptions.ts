// I12: what becomes of a twinkey whose timing assumptions do not hold? Neither Resource Manager nor Key Vault can fence
// a call, so for a moment safety is lost: a way there must exist, or the assumption is not needed. But nothing else may
// break, and from every state behind the breach completion must be reachable: it heals by itself. What breaks
// an assumption does so long after the last change: a look that disagrees with the record is believed at once.
import type { Invariant } from './moves.js';
import type { Rule } from './rules.js';
import { scenario, type Scenario } from './scenario.js';
import { CALM } from './scenarios.js';

export interface BrokenAssumption {
  /** Follows "although". */
  readonly name: string;
  readonly scenario: Scenario;
  /** The rule that cannot be kept when the assumption is broken. */
  readonly off: readonly Rule[];
  /** What breaks first. */
  readonly breaks: Invariant;
  /** All that may break. */
  readonly givenUp: readonly Invariant[];
}

/** A world that heals burns keys and generations: bounds that leave room for a heal. */
const BOUNDS = { mostKeys: 3, mostGenerations: 5 } as const;
const LATE_CALLS = { ...CALM, ...BOUNDS, callsAreLost: true, limboOutlivesQuiescence: true } as const;

export const BROKEN_ASSUMPTIONS: readonly BrokenAssumption[] = [
  {
    name: 'a call executes after the quiescence',
    scenario: scenario('a call executes after the quiescence', LATE_CALLS),
    off: [],
    breaks: 'I6',
    givenUp: ['I1', 'I2', 'I3', 'I4', 'I6'],
  },
  {
    name: 'a process is frozen between its last look at the lease and the first byte',
    scenario: scenario('frozen between the check and the call', {
      ...CALM,
      ...BOUNDS,
      rotators: 2,
      rotatorsFail: true,
    }),
    off: ['sendingNeedsTheLease'],
    breaks: 'I6',
    givenUp: ['I1', 'I2', 'I3', 'I4', 'I6'],
  },
];
