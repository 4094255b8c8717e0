// The judge of crash tests is worth as much as what it finds: each of its rules is shown a history in which one thing
// went wrong, and must say so, and a good one, in which it must be silent.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  answer,
  asked,
  call,
  current,
  goodFacts,
  goodRotation,
  handmade,
  keys,
  spoilt,
  START,
  version,
  withMore,
} from './handmade.js';
import type { History, ToldRotation } from './history.js';
import { judge } from './judge.js';

const rulesBroken = (history: History) => [...new Set(judge(history).map(({ rule }) => rule))].sort();
/** Room for what is put in between: the rotation's end is not what is judged. */
const longer: Partial<ToldRotation> = { completedAt: START + 60_000 };
const without = (index: number) => goodRotation.claims.filter((_, at) => at !== index);

describe('a history in which nothing went wrong', () => {
  it('is found good', () => {
    expect(judge(handmade())).toEqual([]);
  });

  it('is good also when probes are refused, and when a request that Azure refused is made again', () => {
    const probed = withMore(13, call('p1', 'a1', 'twinkey/0.1'), answer('p1', 401));
    expect(judge(handmade(probed, longer))).toEqual([]);
    const again = withMore(10, asked('r0', 'key1'), answer('r0', 429));
    expect(judge(handmade(again, longer))).toEqual([]);
  });

  it('is good also when a request without an answer is made again once it cannot happen any more', () => {
    const waited = Array.from({ length: 3 }, () => answer('nobody'));
    expect(judge(handmade(withMore(10, asked('r0', 'key1'), ...waited), longer))).toEqual([]);
  });
});

describe('a consumer that is refused', () => {
  it('is found, when Azure says so', () => {
    const facts = spoilt((fact) => (fact.fact === 'answer' && fact.id === 'c2' ? answer('c2', 401) : fact));
    expect(rulesBroken(handmade(facts))).toEqual(['refused-call']);
  });

  it('is found, when only the consumer says so', () => {
    expect(rulesBroken({ ...handmade(), callers: { calls: 4, refused: 1 } })).toEqual(['refused-call']);
  });

  it('and nobody who calls at all is not taken for a good history', () => {
    const facts = spoilt((fact) => (fact.fact === 'call' ? undefined : fact));
    expect(rulesBroken(handmade(facts, longer))).toContain('no-calls');
  });
});

describe('a key that is replaced while somebody uses it', () => {
  it('is found by a call that comes later with the old one', () => {
    const facts = withMore(13, call('late', 'a1'), answer('late', 500));
    expect(rulesBroken(handmade(facts, longer))).toEqual(['key-in-use']);
  });

  it('is found by a call that is under way', () => {
    const facts = withMore(12, answer('slow'));
    expect(
      rulesBroken(handmade([...facts.slice(0, 9), call('slow', 'a1'), ...facts.slice(9)], longer)),
    ).toEqual(['key-in-use']);
  });

  it('is found when it is the published one', () => {
    const facts = spoilt((fact, place) => (place === 6 || place === 7 ? undefined : fact));
    const claims = without(0);
    expect(judge(handmade(facts, { ...longer, claims })).map(({ text }) => text)).toContain(
      'key1 (a1) was replaced while it was the published key',
    );
  });
});

describe('a key that is replaced too often, or not at all', () => {
  it('is found when it is replaced a second time in one rotation', () => {
    const facts = withMore(12, answer('r1'), asked('r3', 'key1'), keys('a9', 'b1'), answer('r3'));
    expect(rulesBroken(handmade(facts, longer))).toEqual(
      expect.arrayContaining(['regenerations-due', 'sent-twice', 'effect-without-claim']),
    );
  });

  it('is found when a completed rotation has not replaced it', () => {
    const facts = spoilt((fact, place) => (place >= 17 && place <= 19 ? undefined : fact));
    expect(rulesBroken(handmade(facts))).toEqual(['claim-without-effect', 'regenerations-due']);
  });

  it('is found when no rotation was asked for', () => {
    expect(rulesBroken(handmade([...goodFacts, keys('a2', 'b9')]))).toEqual(['regeneration-unasked']);
  });

  it('is found when the replacement became durable while the witness was away, too', () => {
    // Read again after a start: nobody saw a request, and the keys are others all the same.
    const facts = [...goodFacts, { fact: 'interruption', what: 'azure killed' } as const, keys('a2', 'b3')];
    expect(rulesBroken(handmade(facts))).toEqual(['regeneration-unasked']);
  });
});

describe('a request that is sent again', () => {
  it('is found when the first one may still happen', () => {
    expect(rulesBroken(handmade(withMore(10, asked('r0', 'key1')), longer))).toEqual(['sent-twice']);
  });

  it('is found when the first one was cut off a moment ago', () => {
    const facts = withMore(10, asked('r0', 'key1'), answer('r0', 'cut'));
    expect(rulesBroken(handmade(facts, longer))).toEqual(['sent-twice']);
  });
});

describe('a publication that is not true', () => {
  const published = (place: number, ...changed: Parameters<typeof version>) =>
    spoilt((fact, at) => (at === place ? version(...changed) : fact));

  it('is found when its generation was used before', () => {
    expect(rulesBroken(handmade(published(13, 'v3', 'key1', 2, 'a2')))).toContain('generation-order');
  });

  it('is found when its generation is lower', () => {
    expect(rulesBroken(handmade(published(6, 'v2', 'key2', 0, 'b1')))).toContain('generation-order');
  });

  it('is found when its generation is no number', () => {
    expect(rulesBroken(handmade(published(6, 'v2', 'key2', NaN, 'b1')))).toContain('generation-order');
  });

  it('is found when no slot has its key any more', () => {
    expect(rulesBroken(handmade(published(13, 'v3', 'key1', 3, 'a1')))).toContain('dead-publication');
  });

  it('is found when its tags name the other slot, or another key', () => {
    expect(rulesBroken(handmade(published(6, 'v2', 'key1', 2, 'b1')))).toContain('untrue-tags');
    const lying = spoilt((fact, place) => {
      if (place !== 6 || fact.fact !== 'version') return fact;
      return { ...fact, tags: { ...fact.tags, 'twinkey-fingerprint': 'a1' } };
    });
    expect(rulesBroken(handmade(lying))).toEqual(['untrue-tags']);
  });

  it('is found when consumers still read the version that is disabled', () => {
    const facts = [...goodFacts, version('v3', 'key1', 3, 'a2', false)];
    expect(rulesBroken(handmade(facts))).toEqual(['current-disabled']);
    expect(judge(handmade([...goodFacts, current('v3')]))).toEqual([]);
  });
});

describe('a claim of twinkey', () => {
  const claims = (changed: ToldRotation['claims']) => rulesBroken(handmade(goodFacts, { claims: changed }));

  it('is found when nothing of it happened', () => {
    const extra = { claim: 'published', slot: 'key2', generation: 4, fingerprint: 'b2' } as const;
    expect(claims([...goodRotation.claims, extra])).toEqual(['claim-without-effect']);
  });

  it('is found when it is made twice for one effect', () => {
    expect(claims([...goodRotation.claims, ...goodRotation.claims.slice(1, 2)])).toEqual([
      'claim-without-effect',
    ]);
  });

  it('is missed for an effect of which nothing is said', () => {
    expect(claims(without(1))).toEqual(['effect-without-claim']);
    expect(claims(without(2))).toEqual(['effect-without-claim']);
  });
});

describe('a rotation without an end', () => {
  const ends = (rotation: Partial<ToldRotation>, halted: Readonly<Record<string, string>> = {}) =>
    judge({ ...handmade(goodFacts, rotation), halted }).filter(({ rule }) => rule === 'no-end');
  const halt = { reason: 'local-auth-disabled', remedy: 'Enable it.' };

  it('is found while it runs or waits', () => {
    expect(ends({ state: 'waiting', completedAt: null })).toHaveLength(1);
  });

  it('is found when it halted and nobody expected it', () => {
    expect(ends({ state: 'halted', completedAt: null, halt })).toHaveLength(1);
  });

  it('is none when it halted as expected, with a reason and a remedy', () => {
    const expected = { one: 'local-auth-disabled' };
    expect(ends({ state: 'halted', completedAt: null, halt }, expected)).toEqual([]);
    expect(
      ends({ state: 'halted', completedAt: null, halt: { ...halt, remedy: '' } }, expected),
    ).toHaveLength(1);
    expect(
      ends({ state: 'halted', completedAt: null, halt: { ...halt, reason: 'x' } }, expected),
    ).toHaveLength(1);
  });
});

describe('the judge', () => {
  it('shares no code with what it judges: it imports its own files and Node only', () => {
    const folder = new URL('.', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'),
    );
    expect(files.length).toBeGreaterThan(8);
    const imported = files.flatMap((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      const depth = name.split('/').length - 1;
      return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, from = '']) => ({
        from,
        depth,
      }));
    });
    const foreign = imported.filter(({ from, depth }) => !from.startsWith('node:') && !isInside(from, depth));
    expect(foreign).toEqual([]);
    expect(isInside('../fleet.js', 0) || isInside('@twinkey/rotation', 0)).toBe(false);
  });
});

/** A relative path that does not leave the folder. */
function isInside(from: string, depth: number): boolean {
  const up = from.split('/').filter((part) => part === '..').length;
  return from.startsWith('.') && up <= depth;
}
