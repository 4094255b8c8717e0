// The production plan and the production key switch, in every state that a small world can reach.
import { describe, expect, it } from '@jest/globals';
import { emptyRing } from '@twinkey/rotation';
import { BROKEN_ASSUMPTIONS } from './broken-assumptions.js';
import { explore, modelOf } from './explore.js';
import { MUTANTS } from './mutants.js';
import { ACCOUNT } from './notifier.js';
import { EVERY_RULE, without } from './rules.js';
import { ONE_ROTATION_SHORT, SMALL } from './scenarios.js';
import { storyOf } from './story.js';

describe('a world that is searched to its last state', () => {
  let searched = 0;

  it.each(SMALL.map((scenario) => [scenario.name, scenario] as const))(
    'keeps every invariant, and can always be completed: %s',
    (_, scenario) => {
      const found = explore(modelOf(scenario, EVERY_RULE));
      expect(found.breach === null ? '' : storyOf(found)).toBe('');
      expect(found).toMatchObject({ exhaustive: true, bounded: 0 });
      searched += found.states;
    },
  );

  it('is large: one rotation, two rotators, one consumer', () => {
    const found = explore(modelOf(ONE_ROTATION_SHORT, EVERY_RULE));
    expect(found.breach === null ? '' : storyOf(found)).toBe('');
    expect(found).toMatchObject({ exhaustive: true, bounded: 0 });
    searched += found.states;
  });

  it('is one of many states: 300,000 and more in every run of the tests', () => {
    expect(searched).toBeGreaterThanOrEqual(300_000);
  });
});

describe('a rule that is switched off', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    'is missed by a twinkey that %s',
    (_, { scenario, off, breaks }) => {
      const found = explore(modelOf(scenario, without(...off)), { mostStates: 200_000 });
      expect({ breaks: found.breach?.invariant, story: found.story.length > 0 }).toEqual({
        breaks,
        story: true,
      });
    },
  );

  it('is one of at least thirty', () => {
    expect(new Set(MUTANTS.map(({ off }) => off.join())).size).toBeGreaterThanOrEqual(30);
  });
});

describe('a timing assumption that does not hold', () => {
  it.each(BROKEN_ASSUMPTIONS.map((broken) => [broken.name, broken] as const))(
    'is needed: safety is lost for a moment when %s',
    (_, { scenario, off, breaks }) => {
      const found = explore(modelOf(scenario, without(...off)), { mostStates: 200_000, completion: false });
      expect(found.breach?.invariant).toBe(breaks);
    },
  );
});

describe('the bytes by which states are told apart', () => {
  it('know every field of a key ring: a new one needs its place in encode.ts', () => {
    expect(Object.keys(emptyRing(ACCOUNT)).sort()).toEqual(FIELDS_OF_A_RING);
  });
});

/** Encoded, or made constant by `normalised` because nothing that follows depends on them. */
const FIELDS_OF_A_RING = [
  'account',
  'ahead',
  'asked',
  'attempts',
  'drift',
  'evidence',
  'finished',
  'highestGeneration',
  'inLine',
  'incarnation',
  'intent',
  'keysFrom',
  'known',
  'knownAt',
  'lookWanted',
  'published',
  'registryFrom',
  'restored',
  'revision',
  'rotation',
  'slots',
  'vaultFrom',
  'waiting',
];
