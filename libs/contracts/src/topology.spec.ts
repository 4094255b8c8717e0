import { describe, expect, it } from '@jest/globals';
import * as contracts from './index.js';
import { AccountId, emulatorConfig, shardOf, topology } from './index.js';

// Documented limits of Microsoft's Service Bus emulator.
const LIMITS = {
  entities: 50,
  subscriptionsPerTopic: 50,
  timeToLiveSeconds: 3600,
  lock: { from: 5, to: 300 },
  maxDeliveryCount: 10,
  duplicateWindow: { from: 5, to: 300 },
};

interface Properties {
  readonly DefaultMessageTimeToLive: string;
  readonly DuplicateDetectionHistoryTimeWindow: string;
  readonly LockDuration: string;
  readonly MaxDeliveryCount: number;
}
interface Config {
  readonly UserConfig: {
    readonly Namespaces: readonly {
      readonly Name: string;
      readonly Queues: readonly { Name: string; Properties: Properties }[];
      readonly Topics: readonly {
        Name: string;
        Properties: Properties;
        Subscriptions: readonly { Name: string; Properties: Properties }[];
      }[];
    }[];
  };
}

function seconds(duration: string): number {
  const [, hours = '0', minutes = '0', rest = '0'] =
    /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(duration) ?? [];
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
}

describe.each([1, 8])('the topology with %d key-changed shards', (shards) => {
  const { queues, topics } = topology({ shards });
  const config = emulatorConfig({ queues, topics }) as Config;
  const namespace = config.UserConfig.Namespaces[0];

  it('has the entity of every contract', () => {
    const names = [...queues, ...topics].map(({ name }) => name.replace(/^key-changed-\d+$/, 'key-changed'));
    const entities = Object.values(contracts).flatMap((value) =>
      typeof value === 'object' && 'entity' in value ? [value.entity] : [],
    );
    expect(entities.length).toBeGreaterThan(6);
    expect(names).toEqual(expect.arrayContaining(entities));
  });

  it('names nothing twice', () => {
    const names = [...queues, ...topics].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(topics.filter(({ name }) => name.startsWith('key-changed-'))).toHaveLength(shards);
  });

  it('stays inside what the official emulator takes', () => {
    expect(config.UserConfig.Namespaces).toHaveLength(1);
    if (!namespace) throw new Error('no namespace');
    expect(namespace.Queues.length + namespace.Topics.length).toBeLessThanOrEqual(LIMITS.entities);
    for (const topic of namespace.Topics) {
      expect(topic.Subscriptions.length).toBeLessThanOrEqual(LIMITS.subscriptionsPerTopic);
    }
    const receiving = [
      ...namespace.Queues,
      ...namespace.Topics.flatMap(({ Subscriptions }) => Subscriptions),
    ];
    for (const { Properties } of receiving) {
      expect(seconds(Properties.LockDuration)).toBeGreaterThanOrEqual(LIMITS.lock.from);
      expect(seconds(Properties.LockDuration)).toBeLessThanOrEqual(LIMITS.lock.to);
      expect(Properties.MaxDeliveryCount).toBeLessThanOrEqual(LIMITS.maxDeliveryCount);
      expect(seconds(Properties.DefaultMessageTimeToLive)).toBeLessThanOrEqual(LIMITS.timeToLiveSeconds);
    }
    for (const { Properties } of [...namespace.Queues, ...namespace.Topics]) {
      const window = seconds(Properties.DuplicateDetectionHistoryTimeWindow);
      expect(window).toBeGreaterThanOrEqual(LIMITS.duplicateWindow.from);
      expect(window).toBeLessThanOrEqual(LIMITS.duplicateWindow.to);
      expect(seconds(Properties.DefaultMessageTimeToLive)).toBeGreaterThan(0);
    }
  });
});

describe('the shard of an account', () => {
  const account = (name: string) =>
    AccountId.parse(
      `/subscriptions/1b8f3a52/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`,
    );

  // Every process and every release must agree: consumers are subscribed where these numbers say.
  it.each([
    ['speech-prod', 0, 30],
    ['speech-test', 1, 33],
    ['vision', 0, 6],
  ])('of %s is the same for ever', (name, of8, of50) => {
    expect([shardOf(account(name), 8), shardOf(account(name), 50)]).toEqual([of8, of50]);
  });

  it('is 0 when there is only one', () => {
    expect(shardOf(account('speech-prod'), 1)).toBe(0);
  });

  it('spreads a fleet evenly', () => {
    const count = new Array<number>(8).fill(0);
    for (let index = 0; index < 8000; index += 1) {
      const shard = shardOf(account(`account-${index}`), 8);
      count[shard] = (count[shard] ?? 0) + 1;
    }
    for (const accounts of count) expect(Math.abs(accounts - 1000)).toBeLessThan(150);
  });
});
