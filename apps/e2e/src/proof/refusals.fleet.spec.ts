// The promise at the size of a company: two hundred instances, twenty accounts, three rotations of each, and all that goes
// wrong meanwhile. Two witnesses count refused calls, those who call and the embedded Azure; a third judges the history.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@twinkey/dev';
import { LargeFleet } from './large-fleet.js';
import { sizeFrom } from './size.js';

const ROTATIONS = 3;
const size = sizeFrom(process.env);

let large: LargeFleet;
let started = false;
let passed = 0;

beforeAll(async () => {
  large = await LargeFleet.start(size);
  started = true;
});
afterEach(async () => {
  if (!started) return; // what went wrong was told
  // Whoever noticed nothing was refused nothing, or saw its call repeated with the newer key.
  expect((await large.ground.fleet.refused()).notHealed).toBe(0);
  expect(await large.findings()).toEqual([]);
  passed += 1;
});
afterAll(async () => {
  if (!started) return;
  const { calls, seenByCallers, notHealed, seenByAzure } = await large.ground.fleet.refused();
  const { failed } = large.ground.fleet.load.counters();
  const seconds = Math.round((performance.now() - large.startedAt) / 1000);
  const rotations = (await large.ground.fleet.client.rotations()).filter(
    ({ state }) => state === 'completed',
  ).length;
  const refused = {
    seenByCallers,
    afterRereading: notHealed,
    seenByAzure,
    healedAfterThaw: large.healedAfterThaw,
  };
  const summary = {
    ok: passed === ROTATIONS,
    ...size,
    rotations,
    calls,
    refused,
    failed,
    troubles: large.troubles.length,
    seconds,
  };
  await large.stop();
  process.stdout.write(`${JSON.stringify(summary)}\n`);
});

const refusedByAzure = async () => (await large.ground.fleet.refused()).seenByAzure;

/** The process is gone for as long as nobody starts it. */
function withoutService(service: 'notifier'): Promise<void> {
  const { stack } = large.ground.fleet;
  return large.without(
    `the ${service}`,
    () => stack.service(service).kill(),
    async () => {
      stack.service(service).start();
      await stack.ready([service]);
    },
  );
}

describe('a large fleet whose keys are rotated', () => {
  it('is refused no call while some of its instances are killed, started, and frozen for the whole rotation', async () => {
    const { ground } = large;
    const [frozen, dying, another] = [large.name(0), large.name(1), large.name(2)];
    large.freeze(frozen);
    const before = await large.rotate('instances come and go');
    await ground.untilOneIsAt('switch-to-key2', before);
    await large.kill(dying);
    await ground.untilOneIsAt('regenerate-key1', before);
    large.begin(dying);
    await ground.untilOneIsAt('switch-to-key1', before);
    await large.kill(another);
    large.begin(another);
    await large.completed(before);
    expect(await refusedByAzure()).toBe(0);
    expect(await large.findings()).toEqual([]);
    // Both keys that it knows are dead.
    await large.thaw(frozen);
    await large.allRegistered();
  });

  it('is refused no call while the notifier, then Key Vault, then the broker are away', async () => {
    const { ground } = large;
    const [frozen, dying] = [large.name(3), large.name(4)];
    const refusedBefore = await refusedByAzure();
    large.freeze(frozen);
    const before = await large.rotate('what it needs goes away');
    await ground.untilOneIsAt('switch-to-key2', before);
    await withoutService('notifier');
    expect(await refusedByAzure()).toBe(refusedBefore);
    await large.without(
      'Key Vault',
      () => ground.azure.addFault({ service: 'key-vault', count: 'unlimited', effect: { kind: 'outage' } }),
      () => ground.azure.removeFaults(),
    );
    await large.without('the broker', async () => {
      const order = { service: 'service-bus', downMs: 10_000 };
      expect((await ground.azure.call('POST', '/_local/restart', order)).status).toBe(202);
      await large.kill(dying);
    });
    large.begin(dying);
    await large.completed(before);
    expect(await large.findings()).toEqual([]);
    await large.thaw(frozen);
    await large.allRegistered();
  });

  it('is refused no call while twinkey itself dies, and instances with it', async () => {
    const { ground } = large;
    const { stack } = ground.fleet;
    const [frozen, dying] = [large.name(6), large.name(5)];
    const refusedBefore = await refusedByAzure();
    const before = await large.rotate('the services die');
    for (const [service, step] of [
      ['rotator', 'switch-to-key2'],
      ['notifier', 'regenerate-key1'],
      ['rotator', 'switch-to-key1'],
    ] as const) {
      await ground.untilOneIsAt(step, before);
      const { pid } = stack.service(service);
      if (pid === undefined) throw new Error(`the ${service} does not run`);
      large.ground.fleet.recorder.note(`the ${service} is killed`);
      process.kill(pid, 'SIGKILL');
      if (step === 'regenerate-key1') await large.kill(dying);
      await waitUntil(`another ${service}`, () => (stack.service(service).pid ?? pid) !== pid, {
        withinMs: 60_000,
      });
      await stack.ready([service]);
    }
    large.begin(dying);
    large.freeze(frozen);
    await large.completed(before);
    expect(await refusedByAzure()).toBe(refusedBefore);
    expect(await large.findings()).toEqual([]);
    await large.thaw(frozen);
    await large.allRegistered();
  });
});
