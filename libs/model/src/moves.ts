// What a move is: a world that may follow, how a person would tell it, and what it breaks.
import type { Next, Observed, Terms } from '@twinkey/rotation';
import type { Rules } from './rules.js';
import type { Scenario } from './scenario.js';
import type { World } from './world.js';

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10';

export interface Breach {
  readonly invariant: Invariant;
  readonly detail: string;
}

export interface Model {
  readonly scenario: Scenario;
  readonly rules: Rules;
  readonly plan: Plan;
  readonly terms: Terms;
}

/** The production plan, bent or not. */
export type Plan = (world: Pick<World, 'ring'>, seen: Observed) => Next;

/**
 * `trouble`: nobody may count on it; completion must be reachable without.
 * `say` is called only when the story is told.
 */
export type Emit = (
  say: () => string,
  next: World,
  more?: { readonly trouble?: boolean; readonly breach?: Breach | null },
) => void;

export const TROUBLE = { trouble: true } as const;
