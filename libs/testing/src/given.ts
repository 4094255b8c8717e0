import { deepStrictEqual } from 'node:assert/strict';

/** The functions of a pure core. Bind what else they take (the time, terms) before handing them over. */
export interface Core<State, Command, Event, Decision> {
  readonly initial: State;
  evolve(state: State, event: Event): State;
  decide(command: Command, state: State): Decision;
}

export interface Given<State, Command, Decision> {
  /** Where the events lead. */
  readonly state: State;
  when(command: Command): When<Decision>;
}

export interface When<Decision> {
  readonly decision: Decision;
  /** Throws, with the difference, unless the decision is deeply equal to `expected`. */
  then(expected: Decision): void;
}

/**
 * Sentences for specs of a core:
 *
 *     const given = givenFor({ initial, evolve, decide: (command, state) => decide(command, state, noon) });
 *     given([requested]).when(acknowledge).then([acknowledged]);
 */
export function givenFor<State, Command, Event, Decision>(
  core: Core<State, Command, Event, Decision>,
): (events: readonly Event[]) => Given<State, Command, Decision> {
  return (events) => {
    const state = events.reduce<State>((before, event) => core.evolve(before, event), core.initial);
    return {
      state,
      when: (command) => {
        const decision = core.decide(command, state);
        return {
          decision,
          then: (expected) => {
            deepStrictEqual(decision, expected);
          },
        };
      },
    };
  };
}
