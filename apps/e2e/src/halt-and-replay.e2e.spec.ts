// A rotation that cannot go on stops with a reason that a person can act on, and a replay takes it up where it stands.
// A message that nobody can handle is kept with its reason, and a replay sends it again.
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AccountId, RotationCommand, RotationId, writeMessage } from '@twinkey/contracts';
import { accountIdOf, SERVICES, waitUntil } from '@twinkey/dev';
import { AzureControl } from './azure-control.js';
import { twinkey } from './cli.js';
import { Collector } from './collector.js';
import { Fleet, textAccount } from './fleet.js';

const accounts = [
  textAccount('refused', 'patient'),
  textAccount('silent', 'impatient'),
  textAccount('cut-off', 'alone'),
  textAccount('deleted', 'alone'),
];
/** Exists in Azure only later, and is under care later still. */
const late = textAccount('late', 'alone');
const LATE_ROTATION = 'r-00000000aced';
const common = { interval: 'PT1H', onOverdue: 'hold', drain: 'PT0.2S', firstRotation: 'after-interval' };
const policies = {
  patient: { ...common, acknowledgeWithin: 'PT1M', withoutConsumers: 'wait' },
  impatient: { ...common, acknowledgeWithin: 'PT5S', withoutConsumers: 'wait' },
  alone: { ...common, acknowledgeWithin: 'PT1M', withoutConsumers: 'rotate' },
};
const consumers = [
  { consumer: 'reader', instances: 1, accounts: ['refused'] },
  { consumer: 'sleeper', instances: 1, accounts: ['silent'] },
];

let fleet: Fleet;
let azure: AzureControl;
let url: string;
let bus: ServiceBusClient;
let collector: Collector;
let replayed: string;

beforeAll(async () => {
  collector = await Collector.start();
  fleet = await Fleet.start({ accounts, consumers, policies, env: collector.environment });
  azure = new AzureControl(fleet.stack.azureOrigin, fleet.stack.environment['NODE_EXTRA_CA_CERTS'] ?? '');
  url = fleet.stack.url('console');
  const { SERVICEBUS_CONNECTION_STRING: connection = '' } = parseEnv(
    readFileSync(join(fleet.folder, 'azure.env'), 'utf8'),
  );
  bus = new ServiceBusClient(connection);
  // First of all: ten deliveries, two seconds apart, go on beside everything else.
  await commandTo(lateId(), LATE_ROTATION);
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
    { withinMs: 60_000 },
  );
});
afterAll(async () => {
  await bus.close();
  await fleet.stop();
  collector.stop();
});

function lateId(): string {
  return accountIdOf(late, fleet.stack.environment['AZURE_SUBSCRIPTION_ID'] ?? '');
}

/** What the console would send. */
async function commandTo(id: string, rotation: string): Promise<void> {
  const body = writeMessage(RotationCommand, {
    id: `command-${rotation}`,
    source: 'twinkey/console',
    time: new Date(),
    data: {
      command: 'rotate',
      rotationId: RotationId.parse(rotation),
      account: AccountId.parse(id),
      by: 'e2e',
    },
  });
  await send(body.id, body);
}

async function send(messageId: string, body: unknown): Promise<void> {
  const sender = bus.createSender(RotationCommand.entity);
  await sender.sendMessages({ messageId, body });
  await sender.close();
}

async function rotate(name: string): Promise<string> {
  const id = await fleet.client.rotate(name, 'halt and replay');
  if (id === null) throw new Error(`a rotation of ${name} is open already`);
  return id;
}

async function untilState(name: string, id: string, state: string): Promise<void> {
  await fleet.until(
    `the rotation of ${name} is ${state}`,
    (rotations) => rotations[name]?.id === id && rotations[name].state === state,
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
    replayed = id;
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
  it('halts the rotation with both keys untouched; a replay asks it again, and completes when it answers', async () => {
    const sleeper = fleet.load.process('sleeper');
    if (sleeper?.pid === undefined) throw new Error('the sleeper runs');
    process.kill(sleeper.pid, 'SIGSTOP');
    const id = await rotate('silent');
    await untilState('silent', id, 'halted');
    expect((await fleet.rotation('silent'))?.halt).toMatchObject({
      reason: 'consumer-silent',
      detail: expect.stringContaining('sleeper'),
    });

    // It speaks before the replay: the halt stands all the same, until a person ends it.
    process.kill(sleeper.pid, 'SIGCONT');
    await untilStepDone(id, 'switch-to-key2');
    expect((await fleet.rotation('silent'))?.state).toBe('halted');
    const replayed = await twinkey(url, 'replay', id);
    expect(replayed).toMatchObject({ code: 0 });
    await untilState('silent', id, 'completed');
  });
});

async function shown<Answer>(path: string): Promise<Answer> {
  return (await (await fetch(url + path)).json()) as Answer;
}

/** The acknowledgement is told as the end of a step. */
async function untilStepDone(id: string, step: string): Promise<void> {
  const isDone = async () => {
    const { events } = await shown<{ events: { event: string; what: { step?: string } }[] }>(
      `/v1/rotations/${id}`,
    );
    return events.some(({ event, what }) => event === 'step-done' && what.step === step);
  };
  await waitUntil(`${step} is done`, isDone, { withinMs: 60_000 });
}

interface Waiting {
  readonly state: string;
  readonly waiting: { readonly for: string; readonly detail: string } | null;
}

describe('a vault that is cut off in the middle of a rotation', () => {
  it('makes the rotation wait and say for what; it goes on by itself, and no service ended over it', async () => {
    const processes = SERVICES.map((service) => fleet.stack.service(service).pid);
    const { settings } = await shown<{ settings: { secret: { name: string } } }>('/v1/accounts/cut-off');
    await azure.addFault({
      service: 'key-vault',
      target: settings.secret.name,
      skip: 1, // the look before the rotation begins
      count: 'unlimited',
      effect: { kind: 'outage' },
    });
    const id = await rotate('cut-off');
    let rotation: Waiting | undefined;
    await waitUntil(
      'the rotation waits for the vault',
      async () => (rotation = await shown<Waiting>(`/v1/rotations/${id}`)).waiting?.for === 'outage',
      { withinMs: 60_000 },
    );
    expect(rotation).toMatchObject({
      state: 'waiting',
      waiting: { detail: expect.stringMatching(/Key Vault|no answer/) },
    });
    await azure.removeFaults();
    await untilState('cut-off', id, 'completed');
    expect((await fleet.rotation('cut-off'))?.keysReplaced).toBe(2);
    expect(SERVICES.map((service) => fleet.stack.service(service).pid)).toEqual(processes);
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

interface Letter {
  readonly entity: string;
  readonly sequenceNumber: string;
  readonly id: string;
  readonly reason: string;
  readonly description: string;
}

/** As `twinkey dlq list` shows them. */
async function deadLetters(): Promise<readonly Letter[]> {
  const { stdout } = await twinkey(url, 'dlq', 'list', '-o', 'json');
  return (JSON.parse(stdout) as { deadLetters: readonly Letter[] }).deadLetters;
}

async function deadLetter(id: string, withinMs = 30_000): Promise<Letter> {
  let found: readonly Letter[] = [];
  await waitUntil(
    `${id} is a dead letter`,
    async () => {
      found = (await deadLetters()).filter((letter) => letter.id === id);
      return found.length > 0;
    },
    { withinMs, everyMs: 300 },
  );
  const [letter] = found;
  if (letter === undefined || found.length > 1) throw new Error(`${id} lies there ${found.length} times`);
  return letter;
}

const queue = RotationCommand.entity;

describe('a message that nobody can read', () => {
  it('is kept as a dead letter with its reason; replayed, it comes back, and nothing is lost', async () => {
    await send('unreadable', { type: RotationCommand.type, data: { command: 'explode' } });
    const letter = await deadLetter('unreadable');
    expect(letter).toMatchObject({
      entity: queue,
      reason: 'UnreadableMessage',
      description: expect.stringContaining('specversion'),
    });
    expect((await twinkey(url, 'dlq', 'list')).stdout).toContain('UnreadableMessage');

    const replayed = await twinkey(url, 'dlq', 'replay', queue, letter.sequenceNumber, '-o', 'json');
    expect(replayed.code).toBe(0);
    expect(JSON.parse(replayed.stdout)).toMatchObject({
      messages: [{ sequenceNumber: letter.sequenceNumber, outcome: 'replayed' }],
    });
    await waitUntil(
      'it is a dead letter again, under another number',
      async () => {
        const numbers = (await deadLetters())
          .filter(({ reason }) => reason === 'UnreadableMessage')
          .map(({ sequenceNumber }) => sequenceNumber);
        return numbers.length === 1 && numbers[0] !== letter.sequenceNumber;
      },
      { withinMs: 60_000, everyMs: 300 },
    );
    const twice = await twinkey(url, 'dlq', 'replay', queue, letter.sequenceNumber);
    expect({ code: twice.code, stderr: twice.stderr }).toEqual({
      code: 3,
      stderr: expect.stringContaining('not there'),
    });
  });
});

describe('a command for an account that nobody declared', () => {
  it('ends among the dead letters; replayed once the account is under care, it starts the rotation', async () => {
    const letter = await deadLetter(`command-${LATE_ROTATION}`);
    expect(letter).toMatchObject({
      entity: queue,
      reason: 'DeliveriesExhausted',
      description: expect.stringContaining('account-unknown'),
    });
    await azure.call('POST', '/_local/accounts', { name: late.name, resourceGroup: late.resourceGroup });
    appendFileSync(join(fleet.folder, 'twinkey.yaml'), `  - id: ${lateId()}\n    policy: alone\n`);
    await waitUntil(
      'the new account has a publication',
      async () =>
        (await fleet.client.accounts()).some(
          ({ name, published }) => name === late.name && published !== null,
        ),
      { withinMs: 60_000 },
    );
    expect((await twinkey(url, 'dlq', 'replay', queue, letter.sequenceNumber)).code).toBe(0);
    await untilState(late.name, LATE_ROTATION, 'completed');
    expect(await deadLetters()).toMatchObject([{ reason: 'UnreadableMessage' }]);
  });
});

describe('after all of that', () => {
  it('a rotation that halted and was replayed is one trace through all services, and holds no key', async () => {
    const its = () => collector.spans.filter(({ attributes }) => attributes['twinkey.rotation'] === replayed);
    await waitUntil('the rotation was traced', () => its().some(({ name }) => name === 'rotation'), {
      withinMs: 10_000,
    });
    const [traceId, ...others] = new Set(its().map((span) => span.traceId));
    expect(others).toEqual([]);
    const spans = collector.spans.filter((span) => span.traceId === traceId);
    expect([...new Set(spans.map(({ service }) => service))].toSorted()).toEqual(
      SERVICES.map((service) => `twinkey-${service}`).toSorted(),
    );
    const names = spans.map(({ name }) => name);
    for (const name of [
      'handle com.twinkey.rotation.command.v1',
      'plan publish',
      'key-vault set-secret',
      'send switch-requests',
      'handle com.twinkey.switch.requested.v1',
      'resource-manager regenerate-key',
      'step regenerate-key2',
    ])
      expect(names).toContain(name);
    expect(spans.map(({ attributes }) => attributes['twinkey.fault'])).toContain('access-refused');
    expect(collector.texts.join()).not.toMatch(/[0-9A-Za-z]{84}|eyJ[\w-]{8,}\.|SharedAccessKey=/);
  });

  it('each service shows its metrics, all of which are in the reference', async () => {
    const reference = readFileSync(new URL('../../../docs/reference/metrics.md', import.meta.url), 'utf8');
    for (const service of SERVICES) {
      const log = readFileSync(join(fleet.folder, 'logs', `${service}.log`), 'utf8').split('\n');
      const { metricsUrl } = JSON.parse(log.findLast((line) => line.includes('"Listening"')) ?? '') as {
        metricsUrl: string;
      };
      const shown = await (await fetch(`${metricsUrl}/metrics`)).text();
      const names = [...shown.matchAll(/^# TYPE (twinkey_\w+)/gm)].map(([, name]) => name);
      expect(names.length).toBeGreaterThan(5);
      for (const name of names) expect(reference).toContain(`### \`${String(name)}\``);
      if (service === 'rotator')
        expect(shown).toMatch(/^twinkey_key_age_seconds\{account="refused",slot="key1"\} \d/m);
    }
  });

  it('no call was refused', async () => {
    expect(await fleet.refused()).toMatchObject({ seenByCallers: 0, seenByAzure: 0 });
  });
});
