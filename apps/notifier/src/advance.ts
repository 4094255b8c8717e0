import type { ConsumerName } from '@twinkey/contracts';
import {
  evolveSwitch,
  owed,
  type Expectation,
  type Instance,
  type KeySwitch,
  type Missing,
  type SwitchEvent,
  type Terms,
} from '@twinkey/key-switch';

/** What an account is told: that its key changed, or how its switch stands. */
export type Said =
  | { readonly say: 'key-changed'; readonly current: KeySwitch }
  | {
      readonly say: 'outcome';
      readonly current: KeySwitch;
      readonly outcome: 'acknowledged' | 'overdue';
      readonly openFrom: number;
      readonly missing: readonly Missing[];
      readonly live: number;
      /** Declared consumers that were left out at deadlines of their own. */
      readonly forced: readonly ConsumerName[];
      /** One of the missing was declared to hold. */
      readonly hold: boolean;
    };

export interface Advanced {
  readonly current: KeySwitch | null;
  readonly events: readonly SwitchEvent[];
  readonly said: readonly Said[];
  readonly lookAgainAt: number | null;
}

/** Does what the switch owes, one thing after the other, until it owes nothing at this moment. */
export function advance(
  start: KeySwitch | null,
  instances: readonly Instance[],
  terms: Terms,
  now: number,
  expected: readonly Expectation[],
): Advanced {
  const events: SwitchEvent[] = [];
  const said: Said[] = [];
  let current = start;
  for (;;) {
    const next = owed(current, instances, terms, now, expected);
    if (next.owed === 'nothing' || current === null) {
      return { current, events, said, lookAgainAt: next.owed === 'nothing' ? next.lookAgainAt : null };
    }
    const numbered = { generation: current.generation, request: current.request, at: now };
    let event: SwitchEvent;
    if (next.owed === 'announcement') {
      event = { event: 'key-change-announced', ...numbered };
      said.push({ say: 'key-changed', current });
    } else if (next.outcome === 'acknowledged') {
      const { outcome, openFrom, live, forced } = next;
      event = { event: 'switch-acknowledged', ...numbered, openFrom };
      said.push({ say: 'outcome', current, outcome, openFrom, live, forced, missing: [], hold: false });
    } else {
      const { outcome, missing, openFrom, live, forced, hold } = next;
      event = { event: 'switch-overdue', ...numbered, missing: missing.length };
      said.push({ say: 'outcome', current, outcome, openFrom, live, forced, missing, hold });
    }
    events.push(event);
    current = evolveSwitch(current, event);
  }
}
