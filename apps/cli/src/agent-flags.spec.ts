import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { PermanentFault } from '@twinkey/contracts';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { asAgentFailure } from './agent-failure.js';
import { type AgentFlags, type AgentPlan, readAgentFlags } from './agent-flags.js';
import { type ExecFlags, type ExecPlan, readExecFlags } from './exec-flags.js';
import { Failure } from './failure.js';
import { createProgram } from './program.js';

/** The command that a line names, with its options read; fails for flags that it does not have. */
function read(line: readonly string[]): Command {
  let command: Command = createProgram();
  let rest = [...line];
  for (let next = find(command, rest[0]); next !== undefined; next = find(command, rest[0])) {
    command = next;
    rest = rest.slice(1);
  }
  const { unknown } = command.parseOptions(rest);
  // What stands behind -- belongs to somebody else.
  const strange = unknown[0] === '--' ? undefined : unknown[0];
  if (strange !== undefined) throw new Error(`${line.join(' ')}: there is no ${strange}`);
  return command;
}

const find = ({ commands }: Command, name: string | undefined) =>
  commands.find((each) => each.name() === name);

const agent = (line: string): AgentPlan => readAgentFlags(read(['agent', ...split(line)]).opts<AgentFlags>());
const exec = (line: string): ExecPlan => readExecFlags(read(['exec', ...split(line)]).opts<ExecFlags>());
const split = (line: string): string[] => line.split(/\s+/).filter((part) => part !== '');

function refused(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return `${error.lines.what} ${error.lines.why} ${error.lines.remedy}`;
    throw error;
  }
  return 'not refused';
}

describe('the flags of an agent', () => {
  it('need no more than who, what and where', () => {
    expect(agent('--consumer c --account speech-weu --out key')).toMatchObject({
      consumer: 'c',
      accounts: ['speech-weu'],
      goodbye: false,
      tryAgainMs: 60_000,
      place: {
        file: {
          out: 'key',
          format: 'raw',
          mode: 0o600,
          drainMs: 30_000,
          addressee: undefined,
          readiness: undefined,
        },
      },
    });
  });

  it.each([
    [
      'env',
      '',
      [
        ['speech-weu', 'SPEECH_WEU_KEY'],
        ['/subscriptions/s/accounts/2nd', '_2ND_KEY'],
      ],
    ],
    [
      'json',
      '',
      [
        ['speech-weu', 'speech-weu'],
        ['/subscriptions/s/accounts/2nd', '2nd'],
      ],
    ],
    [
      'env',
      '--key A=Speech-WEU',
      [
        ['speech-weu', 'A'],
        ['/subscriptions/s/accounts/2nd', '_2ND_KEY'],
      ],
    ],
  ] as const)('name keys in a file of the format %s (%s)', (format, more, names) => {
    const { place } = agent(
      `--consumer c --account speech-weu --account /subscriptions/s/accounts/2nd --out key --format ${format} ${more}`,
    );
    expect('file' in place && [...place.file.names].sort()).toEqual([...names].sort());
  });

  it('may say who is told, by a signal of their choice', () => {
    const { place } = agent(
      '--consumer c --account a --out key --pid 77 --signal usr1 --ready-command true --drain 0',
    );
    expect(place).toMatchObject({
      file: {
        addressee: { signal: 'SIGUSR1', pid: 77 },
        readiness: { command: 'true', withinMs: 60_000 },
        drainMs: 0,
      },
    });
  });

  it('may name a Secret and what is restarted', () => {
    const { place } = agent(
      '--consumer c --account a --kubernetes-secret shop/keys --key api-key --restart deploy/web --restart sts/db',
    );
    expect(place).toMatchObject({
      kubernetes: {
        namespace: 'shop',
        secret: 'keys',
        workloads: [
          { kind: 'deployment', name: 'web' },
          { kind: 'statefulset', name: 'db' },
        ],
        rolloutWithinMs: 600_000,
        drainMs: 0,
      },
    });
  });

  it.each([
    ['--account a --out key', /^--consumer is missing\..*TWINKEY_CONSUMER/],
    ['--consumer No! --account a --out key', /"No!" is no name of a consumer/],
    ['--consumer c --out key', /^No account is named\./],
    ['--consumer c --account a', /^--out is missing\./],
    ['--consumer c --account a --out key --kubernetes-secret s/k', /exclude each other/],
    ['--consumer c --account a --account b --out key', /--format raw cannot hold 2 keys.*--format env/],
    ['--consumer c --account a --out key --mode 9', /"9" is no mode/],
    ['--consumer c --account a --out key --mode 0200', /its owner may read it/],
    ['--consumer c --account a --out key --signal HUP', /--signal has nobody to go to.*--pid-file/],
    ['--consumer c --account a --out key --pid 0', /"0" is no process id/],
    ['--consumer c --account a --out key --pid 7 --pid-file p', /exclude each other/],
    ['--consumer c --account a --out key --pid 7 --signal KILL', /"KILL" cannot be sent/],
    ['--consumer c --account a --out key --pid 7 --signal NONE', /"NONE" cannot be sent/],
    ['--consumer c --account a --out key --drain soon', /--drain: "soon" is no duration.*--drain 30s/],
    ['--consumer c --account a --out key --ready-url ftp://x', /"ftp:\/\/x" is no URL/],
    [
      '--consumer c --account a --out key --restart deployment/web',
      /--restart goes with --kubernetes-secret only/,
    ],
    [
      '--consumer c --account a --out key --format env --key 1A',
      /"1A" is no name.*does not begin with a digit/,
    ],
    ['--consumer c --account a --account b --out key --format env --key A', /A does not say whose key it is/],
    ['--consumer c --out key --format env --key A=a --key A=b', /A is used twice/],
    ['--consumer c --account a --kubernetes-secret shop', /"shop" is no Secret/],
    ['--consumer c --account a --kubernetes-secret s/k', /Nothing is restarted, and --drain is missing/],
    ['--consumer c --account a --kubernetes-secret s/k --restart pod/x', /nothing that can be restarted/],
    ['--consumer c --account a --kubernetes-secret s/k --pid-file p', /--pid-file goes with --out only/],
  ])('%s are refused, with a rule and a remedy', (line, expected) => {
    expect(refused(() => agent(line))).toMatch(expected);
  });
});

describe('the flags of a program with keys in its environment', () => {
  it('need no more than who and which variable', () => {
    expect(exec('--consumer c --env KEY=a')).toMatchObject({
      accounts: ['a'],
      names: new Map([['a', 'KEY']]),
      graceMs: 30_000,
      settleMs: 5_000,
      overlap: false,
    });
    expect(exec('--consumer c --account a --env KEY --overlap')).toMatchObject({
      names: new Map([['a', 'KEY']]),
      overlap: true,
    });
  });

  it.each([
    ['--consumer c --account a', /--env is missing for a.*SPEECH_KEY=a/],
    ['--consumer c --env KEY', /KEY does not say whose key it is/],
    ['--consumer c --env KEY=', /KEY does not say whose key it is/],
    ['--consumer c --env =a', /"" is no name/],
    ['--consumer c --env K=a --grace 1w', /--grace: "1w" is no duration/],
  ])('%s are refused', (line, expected) => {
    expect(refused(() => exec(line))).toMatch(expected);
  });
});

describe('an agent that cannot begin', () => {
  it.each([
    [
      new PermanentFault('account-not-allowed', 'http://n: 403 stranger may not use it'),
      1,
      /403 stranger may not use it\. .*--consumer/,
    ],
    [new PermanentFault('access-refused', 'no', { remedy: 'Grant it.' }), 1, /^no\. .* Grant it\.$/],
    [new TypeError('twinkey: notifierUrl: must be a URL'), 2, /^notifierUrl: must be a URL\. /],
  ])('says why, and what to do (%s)', (error, exitCode, text) => {
    const failure = asAgentFailure(error);
    expect(failure).toMatchObject({ exitCode });
    expect(
      refused(() => {
        throw failure as Error;
      }),
    ).toMatch(text);
  });
});

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: PodSpec & { readonly template?: { readonly spec: PodSpec } };
}

interface PodSpec {
  readonly containers: readonly { readonly args?: readonly string[] }[];
  readonly initContainers?: PodSpec['containers'];
}

describe('the page about the agent', () => {
  const page = () => readFile(new URL('../../../docs/how-to/run-the-agent.md', import.meta.url), 'utf8');
  const blocks = (text: string, language: string) =>
    [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      ([, block = '']) => block,
    );

  it('shows command lines that can be read', async () => {
    const lines = blocks(await page(), 'sh').flatMap((block) =>
      block.split('\n').filter((line) => line !== ''),
    );
    const read_ = lines.map((line) => accepted(split(line.replace(/^(npx )?twinkey /, ''))));
    expect(read_).toEqual(['agent', 'agent', 'exec', 'agent', 'declare']);
  });

  it('shows manifests that Kubernetes would take, with arguments that can be read', async () => {
    const texts = blocks(await page(), 'yaml');
    const manifests = texts.flatMap((text) => text.split(/^---$/m).map((each) => parse(each) as Manifest));
    const read_: string[] = [];
    for (const manifest of manifests) {
      const { apiVersion, kind, spec } = manifest;
      const module = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<
        string,
        new (of: object) => { validate(): void }
      >;
      const Model = module[kind];
      if (Model === undefined) throw new Error(`no schema for ${kind}`);
      new Model(manifest).validate();
      const pod = spec?.template?.spec ?? spec;
      for (const { args } of [...(pod?.initContainers ?? []), ...(pod?.containers ?? [])]) {
        if (args !== undefined) read_.push(accepted(args.slice(1)));
      }
    }
    expect(manifests.map(({ kind }) => kind)).toEqual([
      'ServiceAccount',
      'Role',
      'RoleBinding',
      'Deployment',
      'Pod',
    ]);
    expect(read_).toEqual(['agent', 'agent']);
  });

  function accepted(line: readonly string[]): string {
    const command = read(line);
    if (command.name() === 'agent') readAgentFlags(command.opts<AgentFlags>());
    if (command.name() === 'exec') readExecFlags(command.opts<ExecFlags>());
    return command.name();
  }
});
