// What twinkey stands on goes away in the middle of rotations and comes back: the database, the whole of Azure, the
// broker alone, Key Vault for long. Resource Manager has no time for anybody. Rotations wait, and go on by themselves.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SERVICES, waitUntil } from '@twinkey/dev';
import { Ground } from './ground.js';

/** Longer than all that the services wait for here: calls 3 s, quiescence 3 s, leases 9 s, locks of messages 10 s. */
const LONG_MS = 60_000;
const FORTY_MINUTES_MS = 40 * 60_000;

const names = ['one', 'two', 'three'];

let ground: Ground;

beforeAll(async () => {
  ground = await Ground.start({ accounts: names });
});
afterAll(async () => {
  await ground.stop();
});

const nothingToFind = async () => {
  expect(await ground.fleet.findings()).toEqual([]);
};

interface PlantedFault {
  readonly struck: number;
}

async function struck(): Promise<number> {
  const { text } = await ground.azure.call('GET', '/_local/faults');
  const { faults } = JSON.parse(text) as { faults: readonly PlantedFault[] };
  return faults.reduce((sum, fault) => sum + fault.struck, 0);
}

describe('a database that is killed in the middle of rotations', () => {
  it('comes back with what was committed, and they complete', async () => {
    const { fleet } = ground;
    const before = await ground.askForAll('the database is killed');
    await ground.untilOneIsAt('regenerate-key1', before);
    fleet.stack.killDatabase();
    fleet.recorder.note('database killed');
    await waitUntil('its absence is noticed', async () => !(await isReady()), { withinMs: 30_000 });
    await fleet.stack.startDatabaseAgain();
    fleet.recorder.note('database back');
    await ground.untilAll('completed', before);
    await nothingToFind();
  });
});

async function isReady(): Promise<boolean> {
  const answer = await fetch(`${ground.fleet.stack.url('rotator')}/health/ready`).catch(() => undefined);
  return answer?.ok ?? false;
}

describe('an Azure that is killed in the middle of rotations', () => {
  it('comes back with what it had answered, and they complete', async () => {
    const { fleet } = ground;
    const before = await ground.askForAll('Azure is killed');
    await ground.untilOneIsAt('switch-to-key1', before);
    await fleet.stack.killAzure();
    fleet.recorder.note('azure killed');
    await fleet.stack.startAzureAgain();
    await ground.untilAll('completed', before);
    await nothingToFind();
  });
});

describe('a broker that restarts alone', () => {
  it('is waited for, and no message is lost', async () => {
    const before = await ground.askForAll('the broker restarts');
    await ground.untilOneIsAt('switch-to-key2', before);
    ground.fleet.recorder.note('broker down');
    const order = { service: 'service-bus', downMs: 8_000 };
    expect((await ground.azure.call('POST', '/_local/restart', order)).status).toBe(202);
    await ground.untilAll('completed', before);
    await nothingToFind();
  });
});

describe('a Key Vault that is down for long', () => {
  it('holds the rotations, ends no service, and they complete when it is back', async () => {
    const { fleet, azure } = ground;
    const processes = SERVICES.map((service) => fleet.stack.service(service).pid);
    await azure.addFault({ service: 'key-vault', count: 'unlimited', effect: { kind: 'outage' } });
    const since = performance.now();
    const before = await ground.askForAll('Key Vault is down');
    await ground.untilAll('waiting', before);
    // Locks and lifetimes of messages go by Azure's clock. (By an hour its tokens would be over, and only here.)
    await azure.call('POST', '/_local/clock', { advanceMs: FORTY_MINUTES_MS });
    await waitUntil(
      'it was down for long, and was asked all the time',
      async () => performance.now() - since > LONG_MS && (await struck()) > 20,
      { withinMs: 3 * LONG_MS, everyMs: 500 },
    );
    await azure.removeFaults();
    fleet.recorder.note('Key Vault is back');
    await ground.untilAll('completed', before);
    expect(SERVICES.map((service) => fleet.stack.service(service).pid)).toEqual(processes);
    await nothingToFind();
  });
});

describe('a Resource Manager that throttles every second call', () => {
  it('delays the rotations and nothing else', async () => {
    const [calls, retryAfterSeconds] = [16, 1];
    const effect = { kind: 'throttle', retryAfterSeconds };
    // The first lets one call pass, the second the one after that too, and so on.
    for (let skip = 1; skip <= calls; skip += 1)
      await ground.azure.addFault({ service: 'arm', skip, effect });
    const before = await ground.askForAll('Resource Manager throttles');
    await ground.untilAll('completed', before);
    expect(await struck()).toBeGreaterThanOrEqual(2 * names.length);
    await ground.azure.removeFaults();
    await nothingToFind();
  });
});
