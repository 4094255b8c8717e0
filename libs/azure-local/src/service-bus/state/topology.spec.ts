import { describe, expect, it } from '@jest/globals';
import { durationMs } from '../duration.js';
import { brokerAlone } from '../../testing/broker-alone.js';
import { applyTopology, type Topology } from './topology.js';

type Namespace = Topology['UserConfig']['Namespaces'][number];
const topology = (namespace: Namespace): Topology => ({ UserConfig: { Namespaces: [namespace] } });

describe('a duration', () => {
  it.each([
    ['PT30S', 30_000],
    ['PT1.5S', 1500],
    ['P1W', 7 * 86_400_000],
    ['P1W2DT3H', 9 * 86_400_000 + 3 * 3_600_000],
    ['P1M', 30 * 86_400_000],
    ['P1Y', 365 * 86_400_000],
    ['P10675199DT2H48M5.4775807S', 922_337_203_685_477],
    ['PT0S', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['P', 'PT', 'P1DT', '', '1D', 'P1S', 'PT1D', 'P-1D', 'PT1S1M', 'soon'])('is not %j', (text) => {
    expect(durationMs(text)).toBeUndefined();
  });
});

describe('a topology', () => {
  it.each([
    [{}, "no 'UserConfig'"],
    [null, "no 'UserConfig'"],
    [{ UserConfig: {} }, "'UserConfig.Namespaces' of the topology is missing"],
    [topology({ Queues: [{ Name: 'q', Properties: { LockDuration: 'P' } }] }), "LockDuration 'P'"],
    [
      topology({ Queues: [{ Name: 'q', Properties: { ForwardTo: 'nowhere' } }] }),
      "ForwardTo of 'q' names 'nowhere'",
    ],
    [
      topology({
        Topics: [
          {
            Name: 't',
            Subscriptions: [{ Name: 's', Properties: { ForwardDeadLetteredMessagesTo: 'nowhere' } }],
          },
        ],
      }),
      "ForwardDeadLetteredMessagesTo of 't/Subscriptions/s' names 'nowhere'",
    ],
  ])('that makes no sense is refused: %j', (given, reason) => {
    const { broker } = brokerAlone();
    expect(() => {
      applyTopology(broker, given as Topology, 0);
    }).toThrow(reason);
    expect(broker.paths()).toEqual([]);
  });

  it('may forward to what it names later', () => {
    const { broker } = brokerAlone();
    applyTopology(
      broker,
      topology({ Queues: [{ Name: 'a', Properties: { ForwardTo: 'B' } }, { Name: 'b' }] }),
      0,
    );
    expect(broker.paths()).toEqual(['a', 'b']);
  });

  it('leaves what exists as it is, and says where that differs', () => {
    const { broker } = brokerAlone();
    const reported: object[] = [];
    const apply = (LockDuration: string) => {
      const Properties = { LockDuration, MaxDeliveryCount: 3 };
      applyTopology(
        broker,
        topology({
          Queues: [{ Name: 'q', Properties }],
          Topics: [{ Name: 't', Subscriptions: [{ Name: 's', Properties }] }],
        }),
        0,
        (_message, more) => reported.push(more),
      );
    };
    apply('PT10S');
    apply('PT10S');
    expect(reported).toEqual([]);
    apply('PT20S');
    expect(reported).toEqual([
      { entity: 'q', settings: ['lockDurationMs'] },
      { entity: 't/Subscriptions/s', settings: ['lockDurationMs'] },
    ]);
    expect(broker.find('q')).toMatchObject({ queue: { settings: { lockDurationMs: 10_000 } } });
  });
});
