// A history made by hand in which nothing went wrong: one account, one rotation, a consumer that calls all the time.
// Specs spoil it in one place each.
import type { Fact } from './facts.js';
import type { History, ToldRotation } from './history.js';

/** Times are counted from here. */
export const START = Date.parse('2026-01-01T00:00:00Z');

/** A fact before its moment is known. */
export type Untimed<F = Fact> = F extends Fact ? Omit<F, 'at'> : never;

export const keys = (key1: string, key2: string): Untimed => ({ fact: 'keys', account: 'one', key1, key2 });

export function version(id: string, slot: string, generation: number, key: string, enabled = true): Untimed {
  const tags = {
    'twinkey-account':
      '/subscriptions/s/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/ONE',
    'twinkey-slot': slot,
    'twinkey-generation': String(generation),
    'twinkey-fingerprint': key,
  };
  return { fact: 'version', secret: 'secret-one', version: id, key, tags, enabled };
}

export const current = (id: string): Untimed => ({ fact: 'current', secret: 'secret-one', version: id });

export const call = (id: string, key: string, caller = 'twinkey-consumer/0.1'): Untimed => ({
  fact: 'call',
  id,
  account: 'one',
  key,
  caller,
});

export const answer = (id: string, status: number | 'cut' = 200): Untimed => ({ fact: 'answer', id, status });

export const asked = (id: string, slot: 'key1' | 'key2'): Untimed => ({
  fact: 'asked',
  id,
  account: 'one',
  slot,
});

/** One fact a second, so that moments can be counted by hand. */
export function timed(facts: readonly Untimed[]): readonly Fact[] {
  return facts.map((fact, index) => ({ ...fact, at: START + index * 1_000 }));
}

/** key1 is published first; the rotation begins at the sixth fact. */
export const goodFacts: readonly Untimed[] = [
  keys('a1', 'b1'),
  version('v1', 'key1', 1, 'a1'),
  current('v1'),
  call('c1', 'a1'),
  answer('c1'),
  { fact: 'interruption', what: 'the rotation is asked for' },
  version('v2', 'key2', 2, 'b1'),
  current('v2'),
  call('c2', 'b1'),
  answer('c2'),
  asked('r1', 'key1'),
  keys('a2', 'b1'),
  answer('r1'),
  version('v3', 'key1', 3, 'a2'),
  current('v3'),
  call('c3', 'a2'),
  answer('c3'),
  asked('r2', 'key2'),
  keys('a2', 'b2'),
  answer('r2'),
  version('v1', 'key1', 1, 'a1', false),
  call('c4', 'a2'),
  answer('c4'),
];

export const goodRotation: ToldRotation = {
  id: 'r-1',
  account: 'one',
  due: ['key1', 'key2'],
  requestedAt: START + 5_000,
  completedAt: START + 21_000,
  state: 'completed',
  halt: null,
  claims: [
    { claim: 'published', slot: 'key2', generation: 2, fingerprint: 'b1' },
    { claim: 'retired', slot: 'key1', fingerprint: 'a1', by: 'twinkey' },
    { claim: 'published', slot: 'key1', generation: 3, fingerprint: 'a2' },
    { claim: 'retired', slot: 'key2', fingerprint: 'b1', by: 'twinkey' },
  ],
};

export function handmade(
  facts: readonly Untimed[] = goodFacts,
  rotation: Partial<ToldRotation> = {},
): History {
  return {
    facts: timed(facts),
    rotations: [{ ...goodRotation, ...rotation }],
    callers: { calls: 4, refused: 0 },
    consumer: 'twinkey-consumer/',
    quiescenceMs: 3_000,
  };
}

/** The good facts with some of them changed, or left out where `change` answers undefined. */
export function spoilt(change: (fact: Untimed, place: number) => Untimed | undefined | readonly Untimed[]) {
  return goodFacts.flatMap((fact, place) => change(fact, place) ?? []);
}

/** The good facts with more of them before a place. */
export function withMore(place: number, ...more: readonly Untimed[]): readonly Untimed[] {
  return [...goodFacts.slice(0, place), ...more, ...goodFacts.slice(place)];
}
