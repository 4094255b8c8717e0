// A rotation that cannot go on stops with a reason that a person can act on, and a replay takes it up where it stands.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil, type SampleAccount } from '@twinkey/dev';
import { AzureControl } from './azure-control.js';
import { twinkey } from './cli.js';
import { Fleet } from './fleet.js';

const account = (name: string, policy: string): SampleAccount =>
  ({
    name,
    kind: 'TextAnalytics',
    sku: 'S0',
    location: 'westeurope',
    resourceGroup: 'ai',
    keyFormat: 'chars84',
    policy,
  }) as SampleAccount;
const accounts = [account('refused', 'patient'), account('silent', 'impatient'), account('deleted', 'alone')];
const common = { interval: 'PT1H', onOverdue: 'hold', drain: 'PT0.2S', firstRotation: 'after-interval' };
const policies = {
  patient: { ...common, acknowledgeWithin: 'PT1M', withoutConsumers: 'wait' },
  impatient: { ...common, acknowledgeWithin: 'PT4S', withoutConsumers: 'wait' },
  alone: { ...common, acknowledgeWithin: 'PT1M', withoutConsumers: 'rotate' },
};
const consumers = [
  { consumer: 'reader', instances: 1, accounts: ['refused'] },
  { consumer: 'sleeper', instances: 1, accounts: ['silent'] },
];

let fleet: Fleet;
let azure: AzureControl;
let url: string;

beforeAll(async () => {
  fleet = await Fleet.start({ accounts, consumers, policies });
  azure = new AzureControl(fleet.stack.azureOrigin, fleet.stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  url = fleet.stack.url('console');
  await waitUntil(
    'every account has a publication',
    async () =>
      (await fleet.client.accounts()).filter(({ published }) => published !== null).length ===
      accounts.length,
    { withinMs: 60_000 },
  );
  await waitUntil(
    'both consumers call',
    () => fleet.load.counters().instances === 2 && fleet.load.counters().calls > 10,
    { withinMs: 30_000 },
  );
});
afterAll(() => fleet.stop());

async function rotate(name: string): Promise<string> {
  const id = await fleet.client.rotate(name, 'halt and replay');
  if (id === null) throw new Error(`a rotation of ${name} is open already`);
  return id;
}

async function untilState(name: string, id: string, state: string): Promise<void> {
  await fleet.until(
    `the rotation of ${name} is ${state}`,
    (rotations) => rotations[name]?.id === id && rotations[name]?.state === state,
    60_000,
  );
}

describe('a vault that refuses the rotator', () => {
  it('halts the rotation before anyone is told to switch; a replay completes it with one regeneration per key', async () => {
    await azure.addFault({
      service: 'key-vault',
      operation: 'setSecret',
      count: 'unlimited',
      effect: { kind: 'status', status: 403, code: 'Forbidden' },
    });
    const id = await rotate('refused');
    await untilState('refused', id, 'halted');
    expect((await fleet.rotation('refused'))?.halt).toMatchObject({
      reason: 'access-refused',
      remedy: expect.stringContaining('replay'),
    });

    const shown = await twinkey(url, 'rotations', 'show', id);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toContain('access-refused');

    await azure.removeFaults();
    expect((await twinkey(url, 'replay', id)).code).toBe(0);
    await untilState('refused', id, 'completed');
    expect((await fleet.rotation('refused'))?.keysReplaced).toBe(2);
    expect((await twinkey(url, 'replay', id)).code).toBe(4);
  });
});

describe('a consumer that is silent past its deadline', () => {
  it('halts the rotation with both keys untouched; once it speaks again a replay completes', async () => {
    const sleeper = fleet.load.process('sleeper');
    if (sleeper?.pid === undefined) throw new Error('the sleeper runs');
    process.kill(sleeper.pid, 'SIGSTOP');
    const id = await rotate('silent');
    await untilState('silent', id, 'halted');
    expect((await fleet.rotation('silent'))?.halt).toMatchObject({
      reason: 'consumer-silent',
      detail: expect.stringContaining('sleeper'),
    });
    process.kill(sleeper.pid, 'SIGCONT');

    const replayed = await twinkey(url, 'replay', id);
    expect(replayed).toMatchObject({ code: 0 });
    await untilState('silent', id, 'completed');
  });
});

describe('an account that is deleted', () => {
  it('halts its rotation and says so', async () => {
    await azure.addFault({
      service: 'arm',
      target: 'deleted',
      count: 'unlimited',
      effect: { kind: 'status', status: 404, code: 'ResourceNotFound' },
    });
    const id = await rotate('deleted');
    await untilState('deleted', id, 'halted');
    expect((await fleet.rotation('deleted'))?.halt).toMatchObject({ reason: 'account-not-found' });
    await azure.removeFaults();
  });
});

describe('after all of that', () => {
  it('no call was refused', async () => {
    expect(await fleet.refused()).toMatchObject({ seenByCallers: 0, seenByAzure: 0 });
  });
});
