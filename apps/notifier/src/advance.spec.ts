import { describe, expect, it } from '@jest/globals';
import { ConsumerName, InstanceId, KeyChanged, readMessage, SwitchOutcome } from '@twinkey/contracts';
import {
  decideInstance,
  decideRequest,
  evolveInstance,
  evolveSwitch,
  type Instance,
  type KeySwitch,
} from '@twinkey/key-switch';
import { advance } from './advance.js';
import { messageOf } from './messages.js';
import { requested } from './trial/replica.js';

const terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };
const now = Date.UTC(2026, 0, 1);
const circumstances = { at: now, shards: 4, traceparent: null };

function asked(changes: Parameters<typeof requested>[1] = {}): KeySwitch {
  const { events = [] } = decideRequest(null, requested('speech-weu', changes).data);
  const current = events.reduce<KeySwitch | null>(evolveSwitch, null);
  if (current === null) throw new Error('the first request is always taken');
  return current;
}
/** An instance that registered and has acknowledged nothing. */
function silent(): Instance {
  const consumer = ConsumerName.parse('web-shop');
  const [instance, boot] = [InstanceId.parse('i-0123456789abcdef'), '11111111-1111-4111-8111-111111111111'];
  const { events = [] } = decideInstance(null, { command: 'register', instance, consumer, boot }, terms, now);
  const registered = events.reduce<Instance | null>(evolveInstance, null);
  if (registered === null) throw new Error('the first registration is always taken');
  return registered;
}

function outbox(current: KeySwitch, at = now) {
  return advance(current, [], terms, at, []).said.map((said) =>
    messageOf(said, { ...circumstances, at, told: new Map() }),
  );
}

describe('a switch that was just asked for', () => {
  it('announces first and answers in the same breath when nobody has to move', () => {
    const { said, events, current } = advance(asked({ withoutConsumers: 'rotate' }), [], terms, now, []);
    expect(said.map(({ say }) => say)).toEqual(['key-changed', 'outcome']);
    expect(events.map(({ event }) => event)).toEqual(['key-change-announced', 'switch-acknowledged']);
    expect(current).toMatchObject({ announced: true, answer: { outcome: 'acknowledged' } });
  });

  it('announces and waits when somebody may come', () => {
    const { said, lookAgainAt } = advance(asked({ deadlineAt: '2026-01-02T00:00:00Z' }), [], terms, now, []);
    expect(said.map(({ say }) => say)).toEqual(['key-changed']);
    expect(lookAgainAt).toBe(Date.UTC(2026, 0, 2));
  });

  it('is overdue at once when its deadline is over, and names who is missing', () => {
    const { said, events, current, lookAgainAt } = advance(
      asked({ deadlineAt: '2025-01-01T00:00:00Z' }),
      [silent()],
      terms,
      now,
      [],
    );
    expect(said).toMatchObject([
      { say: 'key-changed' },
      { say: 'outcome', outcome: 'overdue', live: 1, missing: [{ consumer: 'web-shop' }] },
    ]);
    expect(events).toMatchObject([
      { event: 'key-change-announced' },
      { event: 'switch-overdue', generation: 1, request: 1, at: now, missing: 1 },
    ]);
    expect(current).toMatchObject({ announced: true, answer: { outcome: 'overdue' } });
    // Whoever is missing lets everybody go when its lease and the clocks' difference are over.
    expect(lookAgainAt).toBe(now + 35_001);
  });

  it('owes nothing more once that is done', () => {
    const { current } = advance(asked({ withoutConsumers: 'rotate' }), [], terms, now, []);
    expect(advance(current, [], terms, now + 1, [])).toMatchObject({ said: [], events: [] });
  });
});

describe('an account of which no switch was ever asked for', () => {
  it('has nothing to say, whoever is registered for it', () => {
    expect(advance(null, [silent()], terms, now, [])).toEqual({
      current: null,
      said: [],
      events: [],
      lookAgainAt: null,
    });
  });
});

describe('what is said of it', () => {
  it('keeps to the contracts', () => {
    const [announcement, outcome] = outbox(
      asked({ withoutConsumers: 'rotate', rotationId: 'r-0123456789ab' }),
    );
    expect(readMessage(KeyChanged, announcement?.body)).toMatchObject({ ok: true });
    expect(readMessage(SwitchOutcome, outcome?.body)).toMatchObject({
      ok: true,
      message: { data: { outcome: 'acknowledged', rotationId: 'r-0123456789ab', missing: [] } },
    });
  });

  it('has the same id when it is said twice, and another one for another question or answer', () => {
    const ids = (changes: Parameters<typeof requested>[1], at?: number) =>
      outbox(asked(changes), at).map(({ id }) => id);
    const first = ids({ withoutConsumers: 'rotate' });
    expect(ids({ withoutConsumers: 'rotate' }, now + 5_000)).toEqual(first);
    const others = [
      ...ids({ withoutConsumers: 'rotate', request: 2 }),
      ...ids({ withoutConsumers: 'rotate', generation: 2 }),
      ids({ deadlineAt: '2025-01-01T00:00:00Z' })[1],
    ];
    expect(new Set([...first, ...others]).size).toBe(7);
  });

  it('goes to the topic of the account’s shard, in the order of the account', () => {
    const [announcement] = outbox(asked());
    expect(announcement?.entity).toMatch(/^key-changed-[0-3]$/);
    expect(announcement).toMatchObject({ subject: 'speech-weu', orderKey: asked().account });
  });
});
