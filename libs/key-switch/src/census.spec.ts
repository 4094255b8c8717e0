import { describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, InstanceId } from '@twinkey/contracts';
import { census } from './census.js';
import type { Instance, Terms } from './instance.js';

const NOW = 1_000_000;
const terms: Terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };
const web = ConsumerName.parse('web-shop');
const billing = ConsumerName.parse('billing');

function one(
  consumer: ConsumerName,
  state: { acknowledged?: number; lapsed?: boolean; gone?: boolean } = {},
) {
  const { acknowledged = 0, lapsed = false, gone = false } = state;
  const instance: Instance = {
    instance: InstanceId.parse('i-00000000000000aa'),
    consumer,
    boot: '11111111-1111-4111-8111-111111111111',
    registeredAt: 0,
    seenAt: 0,
    leaseUntil: lapsed ? 0 : NOW,
    acknowledged: generation(acknowledged),
    drainedAt: null,
    gone,
  };
  return instance;
}

const count = (instances: readonly Instance[], published = 7) =>
  census(instances, generation(published), terms, NOW, []);

describe('a census', () => {
  it('counts as moved who is live and uses exactly what is published: nobody behind, ahead or silent', () => {
    const instances = [
      one(web, { acknowledged: 7 }),
      one(web, { acknowledged: 7 }),
      one(web, { acknowledged: 6 }),
      one(web, { acknowledged: 8 }),
      one(web, { acknowledged: 7, lapsed: true }),
    ];
    expect(count(instances)).toEqual([{ consumer: web, live: 4, acknowledged: 2, lapsed: 1 }]);
  });

  it('tells the consumers in the order of their names, in whatever order they came', () => {
    const [ada, zoe] = [ConsumerName.parse('ada'), ConsumerName.parse('zoe')];
    for (const order of [
      [billing, zoe, ada],
      [ada, billing, zoe],
      [zoe, billing, ada],
    ])
      expect(count(order.map((name) => one(name))).map(({ consumer }) => consumer)).toEqual([
        ada,
        billing,
        zoe,
      ]);
  });

  it('knows nothing of who has left', () => {
    expect(count([one(web, { gone: true })])).toEqual([]);
  });

  it('tells a declared consumer of which nobody is there, and how many of it there must be', () => {
    const expected = [
      { consumer: web, minimum: 2, deadlineAt: null, onOverdue: null },
      { consumer: billing, minimum: 0, deadlineAt: null, onOverdue: null },
    ];
    expect(census([one(web, { acknowledged: 7 })], generation(7), terms, NOW, expected)).toEqual([
      { consumer: billing, live: 0, acknowledged: 0, lapsed: 0 },
      { consumer: web, live: 1, acknowledged: 1, lapsed: 0, minimum: 2 },
    ]);
  });
});
