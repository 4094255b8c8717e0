import { describe, expect, it } from '@jest/globals';
import { at, wholeRotation, type What } from '../../spec/sample-events.js';
import { tellRotation } from './rotation-story.js';

const tell = (whats: readonly What[]) =>
  tellRotation(whats.map((what, index) => ({ sequence: index + 1, at: at(index + 1).toISOString(), what })));

const halted: What = {
  event: 'halted',
  step: 'switch-to-key1',
  reason: 'consumer-silent',
  detail: 'batch has not acknowledged',
  remedy: 'twinkey waive',
};
const refused: What = {
  event: 'refused',
  command: 'replay',
  code: 'not-halted',
  detail: 'The rotation runs.',
};

describe('a rotation that nobody interrupted', () => {
  it('is completed, all four steps done in their order', () => {
    const story = tell(wholeRotation);
    expect(story.state).toBe('completed');
    expect(story.steps.map(({ step, state, seconds }) => [step, state, seconds])).toEqual([
      ['switch-to-key1', 'done', 2],
      ['regenerate-key2', 'done', 1],
      ['switch-to-key2', 'done', 3],
      ['regenerate-key1', 'done', 1],
    ]);
    expect(story).toMatchObject({ by: 'scheduler', reason: 'interval', step: null, keysReplaced: 2 });
  });

  it('lists the steps ahead as pending while it runs', () => {
    expect(tell(wholeRotation.slice(0, 5)).steps.map(({ state }) => state)).toEqual([
      'done',
      'running',
      'pending',
      'pending',
    ]);
  });
});

describe('a rotation that waits', () => {
  it('says for what, and since when it has waited for that', () => {
    const [requested, started, waiting] = wholeRotation.slice(0, 3);
    const later: What = { ...waiting, detail: '1 of 3 instances' } as What;
    const story = tell([requested, started, waiting, later].filter((what) => what !== undefined));
    expect(story.state).toBe('waiting');
    expect(story.waiting).toMatchObject({ detail: '1 of 3 instances', since: at(3).toISOString() });
  });

  it('runs again with the next step', () => {
    expect(tell(wholeRotation.slice(0, 4))).toMatchObject({ state: 'running', waiting: null });
  });
});

describe('a rotation that halted', () => {
  it('keeps reason and remedy', () => {
    expect(tell([...wholeRotation.slice(0, 3), halted])).toMatchObject({
      state: 'halted',
      step: 'switch-to-key1',
      waiting: null,
      halt: { reason: 'consumer-silent', remedy: 'twinkey waive' },
    });
  });

  it('runs again once replayed', () => {
    const story = tell([...wholeRotation.slice(0, 3), halted, { event: 'replayed', by: 'ana' }]);
    expect(story).toMatchObject({ state: 'running', halt: null });
  });

  it('stays halted when facts about it go on coming in', () => {
    const story = tell([
      ...wholeRotation.slice(0, 3),
      halted,
      { event: 'step-done', step: 'switch-to-key2', seconds: 1 },
      { event: 'step-started', step: 'regenerate-key1' },
      { event: 'waiting', for: 'outage', detail: 'Key Vault does not answer' },
    ]);
    expect(story).toMatchObject({ state: 'halted', halt: { reason: 'consumer-silent' } });
  });

  it('stays halted when a command about it is refused, and shows the refusal', () => {
    const story = tell([...wholeRotation.slice(0, 3), halted, refused]);
    expect(story).toMatchObject({ state: 'halted', refusal: { code: 'not-halted' } });
  });
});

describe('a rotation of which only a refusal is known', () => {
  it('never began', () => {
    expect(tell([refused]).state).toBe('refused');
  });

  it('is told from its beginning when that turns up', () => {
    const [requested] = wholeRotation;
    if (requested) expect(tell([requested, refused]).state).toBe('running');
  });
});

describe('a completed rotation', () => {
  it('is not opened again by anything that is said of it later', () => {
    const story = tell([...wholeRotation, halted, { event: 'replayed', by: 'ana' }, refused]);
    expect(story).toMatchObject({ state: 'completed', halt: null, refusal: { code: 'not-halted' } });
  });
});

describe('a rotation whose beginning is not known yet', () => {
  it('shows the steps that were heard of', () => {
    const story = tell(wholeRotation.slice(4, 6));
    expect(story).toMatchObject({ state: 'running', requestedAt: null });
    expect(story.steps.map(({ step }) => step)).toEqual(['regenerate-key2']);
  });
});
