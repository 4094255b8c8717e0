import { describe, expect, it } from '@jest/globals';
import { ConsumerName, RotationId } from '@twinkey/contracts';
import { explain, type ToldRotation } from './explain.js';

const batch = ConsumerName.parse('batch');
const told: ToldRotation = {
  id: RotationId.parse('r-00000000000a'),
  account: 'speech',
  state: 'running',
  scope: 'both',
  step: 'switch-to-key1',
  requestedAt: '2026-01-01T12:00:00.000Z',
  lastEventAt: '2026-01-01T12:01:00.000Z',
  completedAt: null,
  waiting: null,
  halt: null,
  refusal: null,
  behind: [],
  onOverdue: 'hold',
};
const waiting = (what: string): ToldRotation => ({
  ...told,
  state: 'waiting',
  waiting: {
    for: what,
    detail: 'the reason',
    since: '2026-01-01T12:00:30.000Z',
    until: '2026-01-01T14:00:00.000Z',
  },
  behind: [batch],
});
const commandsOf = (rotation: ToldRotation) => explain(rotation).youCan.map(({ command }) => command);

describe('a rotation that waits for acknowledgements', () => {
  it('says when it halts, that nobody breaks, and whom one can excuse', () => {
    const said = explain(waiting('acknowledgements'));
    expect(said.since).toBe('2026-01-01T12:00:30.000Z');
    expect(said.waitsFor).toContain('the reason');
    expect(said.ifNobodyActs).toMatch(/halts at 2026-01-01T14:00:00.000Z.*nobody breaks/);
    expect(said.youCan.map(({ command }) => command)).toEqual([
      'twinkey waive r-00000000000a batch --reason <text>',
      'twinkey halt r-00000000000a',
    ]);
  });

  it('says that somebody may break where the policy goes on without them', () => {
    expect(explain({ ...waiting('acknowledgements'), onOverdue: 'force' }).ifNobodyActs).toMatch(
      /goes on without them.*may be refused/,
    );
  });
});

describe('a rotation that waits for anything else', () => {
  it.each(['drain', 'quiescence', 'propagation', 'throttling', 'outage', 'emergency'])(
    'says of %s that it goes on by itself, and offers no excuse',
    (what) => {
      const said = explain(waiting(what));
      expect(said.ifNobodyActs.length).toBeGreaterThan(20);
      expect(said.youCan.filter(({ command }) => command.includes('waive'))).toEqual([]);
    },
  );
});

describe('a halted rotation', () => {
  const halted: ToldRotation = {
    ...told,
    state: 'halted',
    behind: [batch],
    halt: {
      reason: 'consumer-silent',
      detail: 'batch is silent.',
      remedy: 'Start batch, then replay the rotation.',
      at: '2026-01-01T12:05:00.000Z',
      goesOn: { next: 'It asks again.', safe: true, because: 'x' },
    },
  };

  it('stays so, with both keys alive, and names remedy, replay and whom to excuse', () => {
    const said = explain(halted);
    expect(said.ifNobodyActs).toMatch(/stays halted.*Both keys keep working/);
    expect(said.youCan).toContainEqual({
      command: 'twinkey replay r-00000000000a',
      effect: 'It asks again.',
    });
    expect(commandsOf(halted)).toContain('twinkey waive r-00000000000a batch --reason <text>');
  });

  it('offers no excuse where no consumer is the reason', () => {
    const refused = { ...halted, halt: halted.halt && { ...halted.halt, reason: 'access-refused' } };
    expect(commandsOf(refused)).toEqual([
      'Start batch, then replay the rotation.',
      'twinkey replay r-00000000000a',
    ]);
  });
});

describe('a rotation that needs nobody', () => {
  it.each(['asked', 'running', 'completed', 'refused'] as const)('says so when it is %s', (state) => {
    const said = explain({ ...told, state });
    expect(said.ifNobodyActs).toMatch(/begins|by itself|Nothing/);
    expect(commandsOf({ ...told, state }).join()).not.toContain('replay');
  });
});
