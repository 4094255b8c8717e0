import { describe, expect, it } from '@jest/globals';
import type { KeyRing } from './key-ring.js';
import { hasEvidence, stepOf } from './steps.js';
import { base } from './testing/told-ring.js';
import { rotationId } from './testing/small-world.js';

const evidence = { generation: 1, rotationId, openFrom: 0, kind: 'acknowledged' } as const;
const acknowledged: KeyRing = { ...base, evidence };

function kept(ring: KeyRing, ...slots: readonly ('key1' | 'key2')[]): KeyRing {
  const left = (slot: 'key1' | 'key2') =>
    slots.includes(slot) ? ring.slots[slot] : { ...ring.slots[slot], retire: null };
  return { ...ring, slots: { key1: left('key1'), key2: left('key2') } };
}

describe('the step of a rotation that started from key2', () => {
  it('is that everyone acknowledges key2, then that key1 is regenerated', () => {
    expect(stepOf({ ...base, evidence: null })).toBe('switch-to-key2');
    expect(stepOf(acknowledged)).toBe('regenerate-key1');
  });

  it('is that everyone moves to key1, when only the old key2 is left', () => {
    expect(stepOf(kept(acknowledged, 'key2'))).toBe('switch-to-key1');
  });

  it('is none when nothing is left to retire, or not known yet what is', () => {
    expect(stepOf(kept(acknowledged))).toBeNull();
    expect(
      stepOf({ ...base, rotation: base.rotation && { ...base.rotation, startedFrom: null } }),
    ).toBeNull();
    expect(stepOf({ ...base, published: null })).toBeNull();
    expect(stepOf({ ...base, rotation: null })).toBeNull();
  });
});

describe('what everyone acknowledged', () => {
  it('counts for the generation that is published, not for one before it', () => {
    expect(hasEvidence(acknowledged)).toBe(true);
    expect(hasEvidence({ ...acknowledged, evidence: { ...evidence, generation: 0 } })).toBe(false);
    expect(hasEvidence({ ...acknowledged, published: null })).toBe(false);
  });

  it('counts for the rotation that asked, not for another one', () => {
    expect(hasEvidence({ ...acknowledged, evidence: { ...evidence, rotationId: null } })).toBe(false);
    expect(hasEvidence({ ...acknowledged, rotation: null })).toBe(false);
  });

  it('is nothing while nobody did', () => {
    expect(hasEvidence({ ...acknowledged, evidence: null })).toBe(false);
  });
});
