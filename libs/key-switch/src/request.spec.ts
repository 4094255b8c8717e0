import { describe, expect, it } from '@jest/globals';
import {
  AccountId,
  Fingerprint,
  SwitchRequested,
  type SwitchRequested as Requested,
} from '@twinkey/contracts';
import { evolveSwitch, type KeySwitch, type SwitchEvent } from './key-switch.js';
import { decideRequest, type RequestRefusal } from './request.js';

const account = AccountId.parse(
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech-weu',
);
const ONE = '1'.repeat(32);
const TWO = '2'.repeat(32);

function request(changes: Partial<Record<keyof Requested, unknown>> = {}): Requested {
  return SwitchRequested.data.parse({
    account,
    generation: 7,
    request: 1,
    slot: 'key2',
    fingerprint: Fingerprint.parse(TWO),
    secret: { vaultUrl: 'https://vault.example', name: 'speech-weu' },
    publishedAt: '2026-01-01T00:00:00.000Z',
    deadlineAt: '2026-01-02T00:00:00.000Z',
    drainSeconds: 5,
    withoutConsumers: 'wait',
    waived: [],
    ...changes,
  });
}

function fold(events: readonly SwitchEvent[]): KeySwitch | null {
  return events.reduce<KeySwitch | null>(evolveSwitch, null);
}

function asked(changes: Partial<Record<keyof Requested, unknown>> = {}): SwitchEvent {
  const [event] = decideRequest(null, request(changes)).events ?? [];
  if (event === undefined) throw new Error('the first request is always taken');
  return event;
}

const numbered = { generation: 7 as Requested['generation'], request: 1, at: 1_000 };
const announced: SwitchEvent = { event: 'key-change-announced', ...numbered };
const acknowledged: SwitchEvent = { event: 'switch-acknowledged', ...numbered, openFrom: 2_000 };
const overdue: SwitchEvent = { event: 'switch-overdue', ...numbered, missing: 1 };

function given(...events: readonly SwitchEvent[]) {
  return {
    when: (requested: Requested) => {
      const decision = decideRequest(fold(events), requested);
      return {
        thenRefused: (code: RequestRefusal) => {
          expect(decision).toEqual({ refused: code });
        },
        then: (state: Partial<KeySwitch>) => {
          expect(fold([...events, ...(decision.events ?? [])])).toMatchObject(state);
        },
      };
    },
  };
}

describe('an account of which nothing is known', () => {
  it('takes the first request, with nothing announced and nothing answered', () => {
    given()
      .when(request({ rotationId: 'r-0123456789ab' }))
      .then({
        generation: 7 as Requested['generation'],
        request: 1,
        rotationId: 'r-0123456789ab' as KeySwitch['rotationId'],
        publishedAt: Date.UTC(2026, 0, 1),
        deadlineAt: Date.UTC(2026, 0, 2),
        announced: false,
        answer: null,
      });
  });
});

describe('an account whose switch is under way', () => {
  it('is replaced by a higher generation, whose request numbers start again', () => {
    given(asked({ request: 4 }))
      .when(request({ generation: 8, request: 1, slot: 'key1', fingerprint: ONE }))
      .then({ generation: 8 as Requested['generation'], request: 1, slot: 'key1' });
  });

  it('ignores an older generation, whatever its request number', () => {
    given(asked())
      .when(request({ generation: 6, request: 9 }))
      .thenRefused('older-generation');
  });

  it('ignores the same question said twice, and an earlier one that comes late', () => {
    given(asked({ request: 2 }))
      .when(request({ request: 2 }))
      .thenRefused('already-asked');
    given(asked({ request: 2 }))
      .when(request({ request: 1 }))
      .thenRefused('already-asked');
  });

  it('asks again, and announces again, when the request number grew', () => {
    given(asked(), announced, acknowledged)
      .when(request({ request: 2 }))
      .then({ request: 2, announced: false, answer: null });
  });

  it('takes a waiver with the next request', () => {
    given(asked(), announced)
      .when(request({ request: 2, waived: ['web-shop'] }))
      .then({ waived: ['web-shop'] as unknown as KeySwitch['waived'] });
  });

  it('refuses a generation that names another key than before', () => {
    given(asked())
      .when(request({ request: 2, fingerprint: ONE }))
      .thenRefused('generation-reused');
    given(asked())
      .when(request({ request: 2, slot: 'key1' }))
      .thenRefused('generation-reused');
  });

  it('counts from the latest publication when the same key was published twice', () => {
    given(asked({ publishedAt: '2026-01-01T00:01:00.000Z' }))
      .when(request({ request: 2, publishedAt: '2026-01-01T00:00:00.000Z' }))
      .then({ publishedAt: Date.UTC(2026, 0, 1, 0, 1) });
  });
});

describe('what was said about a question', () => {
  it('is forgotten with it: an answer to an earlier request changes nothing', () => {
    expect(fold([asked(), asked({ request: 2 }), acknowledged])).toMatchObject({ request: 2, answer: null });
    expect(fold([asked(), asked({ request: 2 }), announced])).toMatchObject({ announced: false });
  });

  it('turns from overdue to acknowledged, never back', () => {
    expect(fold([asked(), overdue])?.answer).toEqual({ outcome: 'overdue', at: 1_000 });
    expect(fold([asked(), overdue, acknowledged])?.answer?.outcome).toBe('acknowledged');
    expect(fold([asked(), acknowledged, overdue])?.answer?.outcome).toBe('acknowledged');
  });
});
