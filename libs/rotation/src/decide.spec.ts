// What a ring makes of people, of the notifier and of signs: exactly these events, or a refusal that says why.
import { describe, expect, it } from '@jest/globals';
import { ConsumerName, InstanceId, RotationId, SwitchOutcome } from '@twinkey/contracts';
import { decideAhead, decideCommand, decideLook, decideOutcome, decideRequest } from './decide.js';
import type { RingEvent } from './events.js';
import { evolve } from './evolve.js';
import { emptyRing, type KeyRing } from './key-ring.js';
import { account, published, requested, rotationId } from './testing/small-world.js';

const NOW = 2_000_000;
const OPEN_FROM = '2026-01-01T00:00:00.000Z';
const other = RotationId.parse('r-00000000000b');
const BY = { account, by: 'ana', rotationId };

const asked = {
  type: 'SwitchAsked',
  at: NOW,
  generation: 1,
  request: 3,
  rotationId,
  deadlineAt: NOW,
  waived: [],
} as const;
const waiting = (): KeyRing => evolve(requested(), asked);
const halted = (): KeyRing =>
  evolve(requested(), { type: 'RotationHalted', at: NOW, reason: 'operator', detail: 'x', remedy: 'x' });
const over = (): KeyRing => evolve(requested(), { type: 'RotationCompleted', at: NOW, rotationId });

const events = (...all: readonly RingEvent[]) => ({ accepted: true, events: all });
const refused = (code: string) => expect.objectContaining({ accepted: false, code }) as unknown;

describe('a request', () => {
  const request = { rotationId, by: 'ana', reason: 'due' };
  const begun = { type: 'RotationRequested', at: NOW, ...request } as const;
  const { ring } = published();

  it('says no more than what was asked for', () => {
    expect(decideRequest(ring, request, NOW)).toStrictEqual(events(begun));
    expect(decideRequest(ring, { ...request, scope: 'both', slot: undefined }, NOW)).toStrictEqual(
      events(begun),
    );
  });

  it('keeps its scope, and the slot that leaked', () => {
    const half = { scope: 'half' } as const;
    const leak = { scope: 'emergency', slot: 'key2' } as const;
    for (const what of [half, leak])
      expect(decideRequest(ring, { ...request, ...what }, NOW)).toStrictEqual(events({ ...begun, ...what }));
  });

  it('is refused when its rotation is open, halted or over', () => {
    for (const known of [requested(), halted()])
      expect(decideRequest(known, request, NOW)).toEqual(refused('already-requested'));
    expect(decideRequest(over(), request, NOW)).toEqual(refused('rotation-completed'));
  });
});

describe('a command', () => {
  const say = (ring: KeyRing, command: 'replay' | 'halt', id = rotationId) =>
    decideCommand(ring, { ...BY, command, rotationId: id }, NOW);

  it('about a rotation that nobody knows is refused', () => {
    for (const command of ['replay', 'halt'] as const)
      expect(say(halted(), command, other)).toEqual(refused('rotation-unknown'));
  });

  it('about a rotation that is over is refused', () => {
    for (const command of ['replay', 'halt'] as const)
      expect(say(over(), command)).toEqual(refused('rotation-completed'));
  });

  it('to replay takes up what is halted, and nothing that runs', () => {
    expect(say(halted(), 'replay')).toStrictEqual(
      events({ type: 'RotationReplayed', at: NOW, by: 'ana', rotationId }),
    );
    expect(say(requested(), 'replay')).toEqual(refused('rotation-running'));
  });

  it('to halt stops what runs, and nothing that is halted', () => {
    expect(say(requested(), 'halt')).toMatchObject(
      events({ type: 'RotationHalted', reason: 'operator', rotationId } as RingEvent),
    );
    expect(say(halted(), 'halt')).toEqual(refused('rotation-halted'));
  });

  it('to halt says who did it, and why if there was a reason', () => {
    const because = { ...BY, command: 'halt', reason: 'audit' } as const;
    const detailOf = (decision: ReturnType<typeof decideCommand>) =>
      decision.accepted && decision.events[0]?.type === 'RotationHalted' ? decision.events[0].detail : '';
    expect(detailOf(decideCommand(requested(), because, NOW))).toMatch(/^ana halted it: audit\. /);
    expect(detailOf(say(requested(), 'halt'))).toMatch(/^ana halted it\. /);
  });

  it('to excuse a consumer names it, and who excused it', () => {
    const consumer = ConsumerName.parse('billing');
    const waive = { ...BY, command: 'waive', consumer, reason: 'gone' } as const;
    for (const ring of [requested(), halted()])
      expect(decideCommand(ring, waive, NOW)).toStrictEqual(
        events({ type: 'ConsumerWaived', at: NOW, consumer, by: 'ana', reason: 'gone', rotationId }),
      );
  });
});

describe('the answer of the notifier', () => {
  const answer = (what: object = {}) =>
    SwitchOutcome.data.parse({
      account,
      generation: 1,
      request: 3,
      outcome: 'acknowledged',
      at: OPEN_FROM,
      openFrom: OPEN_FROM,
      instances: 2,
      waived: [],
      missing: [],
      ...what,
    });
  const overdue = (what: object = {}) => answer({ outcome: 'overdue', ...what });

  it('opens the gate from the moment that it names, or at once when it names none', () => {
    const confirmed = { type: 'SwitchConfirmed', at: NOW, generation: 1, request: 3, instances: 2 } as const;
    expect(decideOutcome(waiting(), answer(), NOW)).toEqual(
      events({ ...confirmed, openFrom: Date.parse(OPEN_FROM) }),
    );
    expect(decideOutcome(waiting(), answer({ openFrom: undefined }), NOW)).toStrictEqual(
      events({ ...confirmed, openFrom: NOW }),
    );
    const forced = [ConsumerName.parse('desk')];
    expect(decideOutcome(waiting(), answer({ openFrom: undefined, forced }), NOW)).toEqual(
      events({ ...confirmed, openFrom: NOW, forced }),
    );
  });

  it('is late when it speaks of another generation or another question', () => {
    for (const what of [{ generation: 2 }, { request: 2 }, { request: 4 }])
      expect(decideOutcome(waiting(), answer(what), NOW)).toEqual(refused('late-outcome'));
  });

  it('is late when the question is about something that is not published any more', () => {
    const ring = waiting();
    const moved = { ...ring, published: ring.published && { ...ring.published, generation: 2 } };
    for (const generation of [1, 2])
      expect(decideOutcome(moved, answer({ generation }), NOW)).toEqual(refused('late-outcome'));
  });

  it('is late when nobody asked, or nothing is published', () => {
    for (const nothing of [{ asked: null }, { published: null }])
      expect(decideOutcome({ ...waiting(), ...nothing }, answer(), NOW)).toEqual(refused('late-outcome'));
  });

  it('names who is missing: the instance, or the consumer when it has none', () => {
    const instance = InstanceId.parse('i-00000000000000aa');
    const missing = [
      { consumer: 'billing', instance, generation: 0 },
      { consumer: 'web-shop', generation: 0 },
    ];
    const told = {
      type: 'SwitchOverdue',
      at: NOW,
      generation: 1,
      request: 3,
      missing: [`billing/${instance}`, 'web-shop'],
    };
    expect(decideOutcome(waiting(), overdue({ missing }), NOW)).toEqual(
      events({ ...told, openFrom: Date.parse(OPEN_FROM) } as unknown as RingEvent),
    );
    const unsaid = decideOutcome(waiting(), overdue({ missing, openFrom: undefined }), NOW);
    expect(unsaid).toStrictEqual(events(told as unknown as RingEvent));
  });

  it('says of the missing why they refuse, how many are there, and whether they are to be waited for', () => {
    const missing = [
      { consumer: 'billing', instance: 'i-00000000000000aa', generation: 0, refusal: 'a batch runs' },
      { consumer: 'support-desk', live: 1, minimum: 2, generation: 0 },
    ];
    const decision = decideOutcome(waiting(), overdue({ missing, hold: true }), NOW);
    expect(decision).toMatchObject({
      events: [
        {
          hold: true,
          missing: [
            'billing/i-00000000000000aa (it refuses: a batch runs)',
            'support-desk (1 of at least 2 instances)',
          ],
        },
      ],
    });
    const ring = decision.accepted ? decision.events.reduce(evolve, waiting()) : waiting();
    expect(ring.asked?.overdue).toMatchObject({ hold: true });
  });

  it('that the deadline is over is heard once', () => {
    const late = { type: 'SwitchOverdue', at: NOW, generation: 1, request: 3, missing: [] } as const;
    expect(decideOutcome(evolve(waiting(), late), overdue(), NOW)).toEqual(refused('late-outcome'));
  });
});

describe('a sign of a change by hand', () => {
  it('makes the plan look, unless nothing is published that could be compared', () => {
    const wanted = { type: 'LookWanted', at: NOW, why: 'an event' } as const;
    expect(decideLook(requested(), 'an event', NOW)).toStrictEqual(events(wanted));
    expect(decideLook(emptyRing(account), 'an event', NOW)).toStrictEqual(events());
  });

  it('is a generation above all that were ever intended, and no other', () => {
    const ahead = (generation: number) => decideAhead(requested(), { generation, who: 'billing' }, NOW);
    expect(ahead(1)).toStrictEqual(events());
    expect(ahead(2)).toStrictEqual(
      events({ type: 'AcknowledgementAhead', at: NOW, generation: 2, who: 'billing' }),
    );
  });
});
