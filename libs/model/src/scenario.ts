// What may happen in a world: who is there, which troubles it knows, and how often people interfere.
import type { Budget } from './world.js';

export interface Scenario {
  readonly name: string;
  /** `just-published`: the generation is out, and nobody was told of it yet. */
  readonly start: 'steady' | 'just-published';
  readonly rotators: 1 | 2;
  readonly consumers: 1 | 2;
  /** The last consumer is started later, or never. */
  readonly lateConsumer: boolean;
  readonly onOverdue: 'hold' | 'force';
  readonly withoutConsumers: 'wait' | 'rotate';
  /** How often a probe may disagree before a person is asked. */
  readonly probeTries: number;
  /** Calls that execute late, at the same time. */
  readonly limbo: number;
  readonly rotatorsFail: boolean;
  readonly callsAreLost: boolean;
  readonly callsAreRefused: boolean;
  readonly consumersFail: boolean;
  readonly consumersPoll: boolean;
  readonly latePlane: boolean;
  readonly lateLists: boolean;
  readonly lateVault: boolean;
  /** Requests are under way while keys change. */
  readonly requests: boolean;
  /** The consumer cannot see its requests: it names the end of its drain. */
  readonly unseenRequests: boolean;
  readonly partitions: boolean;
  /** Messages arrive again after they were handled. */
  readonly doubled: boolean;
  readonly deadlines: boolean;
  /** The first consumer never acknowledges. */
  readonly silent: boolean;
  /** An instance may start from the key it held before, if it is not older than the minimum. */
  readonly cachedStart: boolean;
  /** A call may execute after the time in which every call is dead or done: the timing assumption is broken. */
  readonly limboOutlivesQuiescence: boolean;
  readonly budget: Budget;
  /** Keys per slot, and generations: reaching them ends a path, and is counted. */
  readonly mostKeys: number;
  readonly mostGenerations: number;
}

export const NO_INTERFERENCE: Budget = {
  rotations: 1,
  leaks: 0,
  deaths: -1,
  strangers: 0,
  handWrites: 0,
  halts: 0,
  waives: 0,
  restores: 0,
  lostAnswers: 0,
};

export const SMALLEST: Omit<Scenario, 'name'> = {
  start: 'steady',
  rotators: 1,
  consumers: 1,
  lateConsumer: false,
  onOverdue: 'hold',
  withoutConsumers: 'rotate',
  probeTries: 9,
  limbo: 1,
  rotatorsFail: true,
  callsAreLost: true,
  callsAreRefused: true,
  consumersFail: true,
  consumersPoll: true,
  latePlane: false,
  lateLists: false,
  lateVault: false,
  requests: false,
  unseenRequests: false,
  partitions: false,
  doubled: false,
  deadlines: false,
  silent: false,
  cachedStart: false,
  limboOutlivesQuiescence: false,
  budget: NO_INTERFERENCE,
  mostKeys: 8,
  mostGenerations: 12,
};

export type Troubles = Partial<Omit<Scenario, 'name' | 'budget'>> & { readonly budget?: Partial<Budget> };

export function scenario(name: string, { budget, ...troubles }: Troubles): Scenario {
  return { ...SMALLEST, ...troubles, name, budget: { ...NO_INTERFERENCE, ...budget } };
}
