// The command line as people run it: a child process against a console that is one too, over loopback, with a
// real database and the embedded Service Bus. The spec itself plays the rotator.
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import {
  AccountId,
  ConsumerName,
  Fingerprint,
  RegistryEvent,
  RotationCommand,
  RotationEvent,
  RotationId,
  emulatorConfig,
  generation,
  readMessage,
  topology,
  writeMessage,
} from '@twinkey/contracts';
import { connectBus, type Bus } from '@twinkey/service-bus';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';

// Every command is a process of its own, and the machine may be busy.
jest.setTimeout(60_000);

const cliPath = fileURLToPath(new URL('../bin/twinkey.mjs', import.meta.url));
const consolePath = fileURLToPath(new URL('../../console/dist/main.js', import.meta.url));

let broker: ServiceBusServer;
let database: TestDatabase;
let bus: Bus;
let consoleProcess: ChildProcess;
let url: string;

beforeAll(async () => {
  const entities = emulatorConfig(topology({ shards: 1 })) as never;
  [broker, database] = await Promise.all([
    startServiceBus({ allowAnySas: true, topology: entities }),
    testDatabase(),
  ]);
  const connectionString = `Endpoint=sb://127.0.0.1:${broker.port};SharedAccessKeyName=spec;SharedAccessKey=spec;UseDevelopmentEmulator=true`;
  consoleProcess = spawn(process.execPath, [consolePath], {
    env: {
      DATABASE_URL: database.url,
      SERVICEBUS_CONNECTION_STRING: connectionString,
      TWINKEY_CONSOLE_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await firstUrlIn(consoleProcess);
  await until(async () => (await fetch(`${url}/health/ready`)).ok, { withinMs: 60_000, every: 50 });
  bus = connectBus({ connectionString });
  await bus.receive({ queue: RotationCommand.entity }, {}, async (message) => {
    const read = readMessage(RotationCommand, message.body);
    if (read.ok) await rotator(read.message.data);
    return { settle: 'complete' };
  });
}, 60_000);

afterAll(async () => {
  await bus.close();
  const ended = new Promise((resolve) => consoleProcess.once('exit', resolve));
  consoleProcess.kill('SIGTERM');
  await ended;
  await Promise.all([broker.close(), database.drop()]);
});

/** The console says in its log where it listens. */
function firstUrlIn({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /"url":"(http:[^"]+)"/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
}

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function twinkey(args: readonly string[], env: Record<string, string> = { TWINKEY_URL: url }): Promise<Ran> {
  return runNode([cliPath, ...args], env);
}

function runNode(args: readonly string[], env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env: { TZ: 'UTC', ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

const HOOK =
  'export const load = (url, context, next) => { process._rawDebug(`loads ${url}`); return next(url, context); };';
/** For `--import`: says on stderr which files a program loads. */
const TELLS_WHAT_IS_LOADED = `data:text/javascript,${encodeURIComponent(
  `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(HOOK)}));`,
)}`;

const fp = (digit: string) => Fingerprint.parse(digit.repeat(32));
const idOf = (name: string) =>
  AccountId.parse(
    `/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );

type What = RotationEvent['what'];
const sequences = new Map<string, number>();

async function told(account: string, rotationId: RotationId, whats: readonly What[]): Promise<void> {
  for (const what of whats) {
    const sequence = (sequences.get(account) ?? 0) + 1;
    sequences.set(account, sequence);
    const time = new Date(Date.UTC(2026, 0, 1, 12, 0, sequence));
    const body = writeMessage(RotationEvent, {
      id: `${account}-${sequence}`,
      source: 'twinkey/rotator',
      time,
      data: { account: idOf(account), rotationId, sequence, at: time.toISOString(), what },
    });
    await bus.send('rotation-events', [{ id: body.id, body }]);
  }
}

let version = 0;
async function registry(what: RegistryEvent['what']): Promise<void> {
  version += 1;
  const time = new Date();
  const data = { version, at: time.toISOString(), what };
  const body = writeMessage(RegistryEvent, {
    id: `registry-${version}`,
    source: 'twinkey/scheduler',
    time,
    data,
  });
  await bus.send('registry-events', [{ id: body.id, body }]);
}

async function declare(name: string): Promise<void> {
  await registry({
    event: 'account-declared',
    nextDueAt: '2099-01-01T00:00:00Z',
    settings: {
      account: idOf(name),
      kind: 'SpeechServices',
      location: 'westeurope',
      endpoint: `https://${name}.cognitiveservices.azure.com/`,
      secret: { vaultUrl: 'https://keys.vault.azure.net', name },
      policy: {
        name: 'standard-30d',
        intervalSeconds: 2_592_000,
        acknowledgeWithinSeconds: 86_400,
        onOverdue: 'hold',
        drainSeconds: 5,
        withoutConsumers: 'wait',
      },
    },
  });
  await registry({
    event: 'consumers-changed',
    account: idOf(name),
    generation: generation(7),
    consumers: [{ consumer: ConsumerName.parse('chat-api'), live: 3, acknowledged: 2, lapsed: 0 }],
  });
  const response = () => fetch(`${url}/v1/accounts/${name}`);
  await until(
    async () => {
      const answer = await response();
      return answer.ok && ((await answer.json()) as { consumers: unknown[] }).consumers.length === 1;
    },
    { withinMs: 60_000 },
  );
}

const begun: What[] = [
  {
    event: 'requested',
    reason: 'leaked',
    by: 'ana',
    steps: ['switch-to-key1', 'regenerate-key2', 'switch-to-key2', 'regenerate-key1'],
    retire: [
      { slot: 'key1', fingerprint: fp('1') },
      { slot: 'key2', fingerprint: fp('2') },
    ],
  },
  { event: 'step-started', step: 'switch-to-key1' },
];
const finished: What[] = [
  { event: 'step-done', step: 'switch-to-key1', seconds: 1.25 },
  { event: 'step-started', step: 'regenerate-key2' },
  { event: 'step-done', step: 'regenerate-key2', seconds: 0.5 },
  { event: 'published', slot: 'key2', generation: generation(8), fingerprint: fp('3') },
  { event: 'step-done', step: 'switch-to-key2', seconds: 2 },
  { event: 'step-done', step: 'regenerate-key1', seconds: 0.5 },
  { event: 'completed', seconds: 4.3, keysReplaced: 2 },
];
const halted: What = {
  event: 'halted',
  step: 'switch-to-key1',
  reason: 'consumer-silent',
  detail: 'batch has not acknowledged.',
  remedy: 'Start batch, or waive it.',
};

/** What the rotator of this spec says to a command, by account. */
const scripts = new Map<string, readonly What[]>();

async function rotator({ account, rotationId }: RotationCommand): Promise<void> {
  const name = account.split('/').at(-1) ?? '';
  const script = scripts.get(name);
  if (script) await told(name, rotationId, script);
}

let rotations = 0;
async function aRotation(account: string, whats: readonly What[], state: string): Promise<RotationId> {
  rotations += 1;
  const id = RotationId.parse(`r-${rotations.toString(16).padStart(2, '0')}00000000aa`);
  await told(account, id, whats);
  await until(
    async () => {
      const answer = await fetch(`${url}/v1/rotations/${id}`);
      return answer.ok && ((await answer.json()) as { state: string }).state === state;
    },
    { withinMs: 60_000 },
  );
  return id;
}

const lines = (text: string) => text.trimEnd().split('\n');

describe('looking at the fleet', () => {
  it('prints columns for people and data for programs', async () => {
    await declare('speech');
    const list = await twinkey(['accounts', 'list']);
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(lines(list.stdout)[0]).toMatch(/^NAME +STATE +STEP +SERVING +CONSUMERS +NEXT +LAST ROTATED$/);
    expect(list.stdout).toMatch(/^speech +healthy +- +- +2\/3 +in \d+d/m);

    const json = await twinkey(['accounts', 'list', '-o', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      accounts: expect.arrayContaining([expect.objectContaining({ name: 'speech' })]),
    });
    const names = await twinkey(['-o', 'name', 'accounts', 'list']);
    expect(lines(names.stdout)).toContain('speech');
    const ndjson = await twinkey(['accounts', 'list', '-o', 'ndjson']);
    expect(lines(ndjson.stdout).map((line) => (JSON.parse(line) as { name: string }).name)).toContain(
      'speech',
    );
  });

  it('shows an account, and the status when nothing else is said', async () => {
    await declare('shown');
    const show = await twinkey(['accounts', 'show', 'shown']);
    expect(show.code).toBe(0);
    expect(show.stdout).toContain('https://keys.vault.azure.net/secrets/shown');
    expect(show.stdout).toMatch(/chat-api +3 +2 +0/);
    const status = await twinkey([]);
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/^\d+ accounts/);
    expect(status.stdout).toContain('scheduler unknown');
  });

  it('colours only where it is wanted', async () => {
    await declare('coloured');
    const env = { TWINKEY_URL: url, FORCE_COLOR: '1' };
    expect((await twinkey(['accounts', 'list'], env)).stdout).toContain('\u001b[');
    expect((await twinkey(['accounts', 'list', '--no-color'], env)).stdout).not.toContain('\u001b[');
    expect((await twinkey(['accounts', 'list'], { ...env, NO_COLOR: '1' })).stdout).not.toContain('\u001b[');
    expect((await twinkey(['accounts', 'list'])).stdout).not.toContain('\u001b[');
  });
});

describe('rotating an account and waiting', () => {
  it('prints every step and ends with the outcome', async () => {
    await declare('waited');
    scripts.set('waited', [...begun, ...finished]);
    const { code, stdout, stderr } = await twinkey(['rotate', 'waited', '--wait', '--reason', 'leaked']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/^Rotation r-\w+ of waited: rotate asked\n$/),
    });
    expect(
      lines(stdout).map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, '').replaceAll(/ +/g, ' ')),
    ).toEqual([
      '· requested by ana: leaked',
      '· switch-to-key1 begun',
      '✓ switch-to-key1 1.3s',
      '· regenerate-key2 begun',
      '✓ regenerate-key2 0.5s',
      '✓ published key2 as generation 8, fingerprint 333333333333',
      '✓ switch-to-key2 2.0s',
      '✓ regenerate-key1 0.5s',
      '✓ completed 4.3s, 2 keys replaced',
    ]);
  });

  it('fails with reason and remedy when the rotation halts', async () => {
    await declare('halting');
    scripts.set('halting', [...begun, halted]);
    const { code, stderr } = await twinkey(['rotate', 'halting', '--wait', '-q']);
    expect(code).toBe(1);
    expect(lines(stderr)).toEqual([
      expect.stringMatching(/^error: Rotation r-\w+ of halting halted in switch-to-key1\.$/),
      '  why: consumer-silent: batch has not acknowledged.',
      'state: Both keys keep working; no consumer is broken.',
      expect.stringMatching(/^ {3}do: Start batch, or waive it\. Then: twinkey replay r-\w+$/),
    ]);
  });

  it('ends as a conflict when the rotator refuses', async () => {
    await declare('refusing');
    scripts.set('refusing', [
      { event: 'refused', command: 'rotate', code: 'already-open', detail: 'Another one is open.' },
    ]);
    const { code, stderr } = await twinkey(['rotate', 'refusing', '--wait']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining('already-open') });
  });

  it('stops waiting at the timeout and says where the rotation is', async () => {
    await declare('slow');
    scripts.set('slow', begun);
    const { code, stderr } = await twinkey(['rotate', 'slow', '--wait', '--timeout', '2s']);
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: expect.stringContaining('It goes on (switch-to-key1); no consumer is broken.'),
    });
  });

  it('gives a program the outcome alone', async () => {
    await declare('scripted');
    scripts.set('scripted', [...begun, ...finished]);
    const { code, stdout } = await twinkey(['rotate', 'scripted', '--wait', '-o', 'json', '-q']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ account: 'scripted', state: 'completed', keysReplaced: 2 });
  });
});

describe('rotating without waiting', () => {
  it('says the id, so that it can be followed', async () => {
    await declare('asked');
    const { code, stdout, stderr } = await twinkey(['rotate', 'asked', '-o', 'name']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^r-[0-9a-f]{12}\n$/);
  });
});

describe('a halted rotation', () => {
  it('is shown with its timeline, replayed, and its consumer waived', async () => {
    await declare('stuck');
    const id = await aRotation('stuck', [...begun, halted], 'halted');
    const show = await twinkey(['rotations', 'show', id.slice(0, 6)]);
    expect(show.code).toBe(0);
    expect(show.stdout).toContain('consumer-silent: batch has not acknowledged.');
    expect(show.stdout).toMatch(/✗ halted/);
    expect((await twinkey(['rotations', 'list', '--state', 'halted', '-o', 'name'])).stdout).toContain(id);
    expect((await twinkey([])).stdout).toMatch(/stuck +r-\w+ +halted/);

    const watched = await twinkey(['rotations', 'watch', id]);
    expect({ code: watched.code, last: lines(watched.stdout).at(-1) }).toEqual({
      code: 1,
      last: expect.stringContaining('halted'),
    });

    expect(await twinkey(['waive', id, 'chat-api', '--reason', 'decommissioned'])).toMatchObject({ code: 0 });
    scripts.set('stuck', [{ event: 'replayed', by: 'ana' }, ...finished]);
    const replayed = await twinkey(['replay', id, '--wait']);
    expect(replayed.code).toBe(0);
    expect(lines(replayed.stdout)[0]).toContain('replayed');
    expect(lines(replayed.stdout).at(-1)).toContain('completed');
    expect(await twinkey(['rotations', 'watch', id])).toMatchObject({ code: 0 });
  });
});

describe('several halted rotations', () => {
  const foreseen: What = {
    ...halted,
    goesOn: { step: 'switch-to-key1', next: 'It asks again.', safe: true, because: 'nobody is cut off' },
  };
  const risky: What = {
    ...halted,
    goesOn: {
      step: 'regenerate-key2',
      next: 'It regenerates key2.',
      safe: false,
      because: 'batch is excused',
    },
  };

  it('are shown with where each would go on and whether it is safe, and nothing is asked', async () => {
    const safe = await aRotation('one', [...begun, foreseen], 'halted');
    const unsafe = await aRotation('two', [...begun, risky], 'halted');
    const ran = await twinkey(['replay', '--failed', '--dry-run']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(new RegExp(`${safe} +one .*switch-to-key1 +yes +It asks again.`));
    expect(ran.stdout).toMatch(new RegExp(`${unsafe} +two .*regenerate-key2 +no .*batch is excused`));
    expect(ran.stderr).toContain('Nothing was changed');
    const json = await twinkey(['replay', safe, unsafe, '--dry-run', '-o', 'json', '-q']);
    expect(JSON.parse(json.stdout)).toMatchObject({ replays: [{ safe: true }, { safe: false }] });
    // The events of this spec are of the past.
    const since = await twinkey(['replay', '--failed', '--since', '1h', '--dry-run', '-o', 'name']);
    expect(since.stdout).not.toContain(safe);
    const earlier = await twinkey(['replay', '--failed', '--since', '2025-01-01', '--dry-run', '-o', 'name']);
    expect(earlier.stdout).toContain(safe);
  });

  it('are all asked for; one that is running or completed is a refusal that says so', async () => {
    const one = await aRotation('three', [...begun, foreseen], 'halted');
    const completed = await aRotation('four', [...begun, ...finished], 'completed');
    const running = await aRotation('five', begun, 'running');
    scripts.set('three', [{ event: 'replayed', by: 'ana' }, ...finished]);
    const dry = await twinkey(['replay', completed, running, '--dry-run']);
    expect(dry.code).toBe(4);
    expect(dry.stdout).toMatch(new RegExp(`${completed} .*refused +it is completed`));
    expect(dry.stdout).toMatch(new RegExp(`${running} .*refused +it is running`));
    const ran = await twinkey(['replay', one, completed, '-q']);
    expect(ran.code).toBe(4);
    expect(ran.stderr).toContain(completed);
    await until(async () => (await twinkey(['rotations', 'show', one])).stdout.includes('Completed'), {
      withinMs: 60_000,
    });
  });
});

describe('a rotation that is explained', () => {
  it('says what it waits for, what happens if nobody acts, and what one can do', async () => {
    await declare('explained');
    const deadline = '2099-01-01T00:00:00.000Z';
    const wait: What = {
      event: 'waiting',
      for: 'acknowledgements',
      detail: 'of generation 7',
      until: deadline,
    };
    const id = await aRotation('explained', [...begun, wait], 'waiting');
    const text = await twinkey(['rotations', 'explain', id]);
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/^Waits for: +It waits for acknowledgements: of generation 7/m);
    expect(text.stdout).toMatch(/^If nobody acts: +.*halts at 2099/m);
    expect(text.stdout).toContain(`twinkey waive ${id} chat-api`);
    const json = await twinkey(['rotations', 'explain', id, '-o', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ rotation: id, state: 'waiting' });
  });
});

describe('what cannot be done', () => {
  it('is told in four lines, with the exit code that says what kind of no it is', async () => {
    await declare('done');
    const id = await aRotation('done', [...begun, ...finished], 'completed');
    const cases = [
      [['rotate', 'nowhere'], 3],
      [['rotate', 'nowhere', '--emergency'], 2],
      [['rotate', 'nowhere', '--slot', 'key1'], 2],
      [['rotate', 'nowhere', '--half', '--emergency', '--slot', 'key1'], 2],
      [['rotate', 'nowhere', '--emergency', '--slot', 'key1'], 3],
      [['rotations', 'show', 'r-ffff'], 3],
      [['replay', id], 4],
      [['replay'], 2],
      [['replay', id, '--failed'], 2],
      [['replay', id, '--since', '1h'], 2],
      [['replay', '--failed', '--since', 'yesterday'], 2],
      [['rotations', 'explain', 'r-ffff'], 3],
      [['halt', id], 4],
      [['rotations', 'show', 'zzz'], 2],
      [['rotations', 'list', '--state', 'broken'], 2],
      [['waive', id, 'chat-api'], 2],
      [['-o', 'yaml'], 2],
      [['frobnicate'], 2],
      [['dlq', 'replay', 'rotation-due'], 2],
      [['dlq', 'replay', 'nowhere', '--all'], 3],
    ] as const;
    for (const [args, code] of cases) {
      const ran = await twinkey(args);
      expect({ args, code: ran.code, stdout: ran.stdout }).toEqual({ args, code, stdout: '' });
      expect(lines(ran.stderr).map((line) => line.slice(0, 7))).toEqual([
        'error: ',
        '  why: ',
        'state: ',
        '   do: ',
      ]);
    }
  }, 60_000);

  it('includes a console that is not there', async () => {
    const { code, stderr } = await twinkey(['status', '--url', 'http://127.0.0.1:9']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('cannot be reached') });
  });
});

describe('consumers', () => {
  it('are declared, listed, shown and withdrawn', async () => {
    await declare('declared');
    const args = ['--owner', 'desk team', '--account', 'declared', '--minimum', '2', '--on-overdue', 'force'];
    const times = ['--acknowledge-within', '1h', '--escalate-to', 'on-call', '--escalate-after', '30m'];
    const made = await twinkey(['consumers', 'declare', 'support-desk', ...args, ...times]);
    expect({ code: made.code, stdout: made.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/Owner: +desk team/),
    });
    const list = await twinkey(['consumers', 'list']);
    expect(list.stdout).toMatch(/^support-desk +api +desk team +instances +0 +2 +declared +0$/m);
    expect(list.stdout).toMatch(/^chat-api +- +- +instances +3 +0 /m);
    const show = await twinkey(['consumers', 'show', 'support-desk']);
    expect(show.stdout).toMatch(/Escalates: +to on-call after 30m/);
    const withdrawn = await twinkey(['consumers', 'withdraw', 'support-desk', '--reason', 'gone']);
    expect(withdrawn).toMatchObject({ code: 0, stdout: 'consumer support-desk: withdrawn\n' });
    expect((await twinkey(['consumers', 'show', 'support-desk'])).code).toBe(3);
  });
});

describe('an account that is to do without keys', () => {
  const quiet = new Date(Date.now() - 7_200_000).toISOString();
  const use = (key: number, shownAt: string): RegistryEvent['what'] => ({
    event: 'use-told',
    account: idOf('keyless'),
    consumers: [
      {
        consumer: ConsumerName.parse('chat-api'),
        live: 1,
        lapsed: 0,
        silent: 0,
        used: { key, token: 0, entra: 5, bare: false },
        shownAt,
        quietSince: shownAt,
        lastSeenAt: shownAt,
      },
    ],
  });

  it('is refused while a consumer shows keys, by exit code, and says which', async () => {
    await declare('keyless');
    await registry(use(7, quiet));
    await until(async () => (await twinkey(['keyless', 'keyless'])).stdout.includes('chat-api'), {
      withinMs: 60_000,
    });
    const shown = await twinkey(['keyless', 'keyless']);
    expect(shown.code).toBe(6);
    expect(shown.stdout).toMatch(/^chat-api +unsafe +1 +7 +0 +5 +no +2h/m);
    expect(shown.stdout).not.toContain('az ');
    const disable = await twinkey(['keyless', 'keyless', '--disable']);
    expect({ code: disable.code, stdout: disable.stdout }).toEqual({ code: 6, stdout: '' });
    expect(disable.stderr).toContain('is not given');

    const safe = await twinkey(['keyless', 'keyless', '--quiet-for', '1h']);
    expect(safe.code).toBe(0);
    expect(safe.stdout).toContain('chat-api   safe');
    const command = await twinkey(['keyless', 'keyless', '--quiet-for', '1h', '--disable']);
    expect(command).toMatchObject({
      code: 0,
      stdout: `az resource update --ids ${idOf('keyless')} --set properties.disableLocalAuth=true\n`,
    });
  });
});

describe('dead letters', () => {
  it('are listed and replayed by their number', async () => {
    await bus.send('rotation-events', [{ id: 'nonsense', subject: 'speech', body: { nonsense: true } }]);
    const list = await until(
      async () => {
        const ran = await twinkey(['dlq', 'list']);
        return ran.stdout.includes('nonsense') || ran.stdout.includes('speech') ? ran : undefined;
      },
      { withinMs: 60_000 },
    );
    expect(list.stdout).toMatch(/^ENTITY +NUMBER +ACCOUNT/);
    const [name = ''] = lines((await twinkey(['dlq', 'list', '-o', 'name'])).stdout);
    const [, entity = '', number = ''] = /^(.+)\/(\d+)$/.exec(name) ?? [];
    const replay = await twinkey(['dlq', 'replay', entity, number]);
    expect({ code: replay.code, stdout: replay.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/nonsense +replayed/),
    });
  });
});

describe('a reader that has enough', () => {
  it('ends the command quietly', async () => {
    const child = spawn(process.execPath, [cliPath, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('help', () => {
  // 150 ms, of which node itself takes 40; on a busy machine a clock says nothing, and what is loaded does.
  it('is there at once: it loads the tree of commands, and nothing of what they do', async () => {
    const { code, stderr } = await runNode(['--import', TELLS_WHAT_IS_LOADED, cliPath, '--help'], {});
    expect(code).toBe(0);
    const loaded = [...stderr.matchAll(/^loads file:\S*\/(?:(node_modules\/[^/\s]+)|dist\/)(\S*)$/gm)];
    const packages = new Set(loaded.flatMap(([, name]) => name ?? []));
    expect([...packages]).toEqual(['node_modules/commander']);
    const own = loaded.flatMap(([, name, file]) => (name === undefined ? (file ?? []) : []));
    expect(own).toEqual(expect.arrayContaining(['main.js', 'program.js']));
    expect(own.filter((file) => file.includes('/'))).toEqual([]); // commands/ and what stands behind them
    expect(own.length).toBeLessThan(15);
  });
});
