import { type Addressee, type FileOptions, type Format, signalNamed, variableFor } from '@twinkey/agent';
import {
  type CommonFlags,
  consumerIn,
  flagFailure,
  namedAccounts,
  type NameRule,
  readinessIn,
  span,
  VARIABLE,
} from './flag-rules.js';

/** As commander hands them over. */
export interface AgentFlags extends CommonFlags {
  readonly key?: readonly string[];
  readonly out?: string;
  readonly format?: Format;
  readonly mode?: string;
  readonly signal?: string;
  readonly pidFile?: string;
  readonly pid?: string;
  readonly drain?: string;
  readonly goodbye?: boolean;
}

export interface AgentPlan {
  readonly consumer: string;
  readonly accounts: readonly string[];
  readonly goodbye: boolean;
  readonly tryAgainMs: number;
  readonly file: FileOptions;
}

/** Throws a Failure for the first flag that is wrong. */
export function readAgentFlags(flags: AgentFlags): AgentPlan {
  const { out } = flags;
  if (out === undefined || out.trim() === '') {
    throw flagFailure(
      '--out is missing.',
      'An agent puts keys into a file.',
      'Write: --out /run/keys/speech (or run the program with: twinkey exec)',
    );
  }
  const format = flags.format ?? 'raw';
  const { accounts, names } = namedAccounts(flags.account, flags.key, NAMES[format]);
  if (format === 'raw' && accounts.length > 1) {
    throw flagFailure(
      `--format raw cannot hold ${accounts.length} keys.`,
      'A raw file is one key and nothing else.',
      'Write: --format env, --format json, or run one agent per file',
    );
  }
  return {
    consumer: consumerIn(flags),
    accounts,
    goodbye: flags.goodbye ?? false,
    tryAgainMs: span('--try-again', flags.tryAgain),
    file: {
      out,
      format,
      names,
      mode: modeIn(flags),
      addressee: addresseeIn(flags),
      readiness: readinessIn(flags),
      drainMs: span('--drain', flags.drain ?? '30s'),
    },
  };
}

const nameOf = (account: string): string => account.split('/').at(-1) ?? account;

const NAMES: Readonly<Record<Format, NameRule>> = {
  raw: { flag: '--key', isName: () => true, rule: '', nameFor: (account) => account },
  env: { flag: '--key', ...VARIABLE, nameFor: (account) => variableFor(nameOf(account)) },
  json: {
    flag: '--key',
    isName: (name) => name !== '',
    rule: 'A field of JSON has a name.',
    nameFor: nameOf,
  },
};

function modeIn({ mode = '0600' }: AgentFlags): number {
  if (/^0?[0-7]{3}$/.test(mode) && (Number.parseInt(mode, 8) & 0o400) !== 0) return Number.parseInt(mode, 8);
  throw flagFailure(
    `--mode: "${mode}" is no mode of a file.`,
    'It has three octal digits, and its owner may read it.',
    'Write: --mode 0640',
  );
}

function addresseeIn({ signal, pid, pidFile }: AgentFlags): Addressee | undefined {
  if (pid !== undefined && pidFile !== undefined) {
    throw flagFailure(
      '--pid and --pid-file exclude each other.',
      'Both say which process is told.',
      'Leave one of them out.',
    );
  }
  if (pid === undefined && pidFile === undefined) {
    if (signal === undefined) return undefined;
    throw flagFailure(
      '--signal has nobody to go to.',
      'It goes to a process.',
      `Write: --signal ${signal} --pid-file /run/program.pid`,
    );
  }
  const named = signalNamed(signal ?? 'HUP');
  if (named === undefined || named === 'SIGKILL' || named === 'SIGSTOP') {
    throw flagFailure(
      `--signal: "${signal ?? ''}" cannot be sent.`,
      'It is the name of a signal that a program can hear.',
      'Write: --signal HUP',
    );
  }
  if (pidFile !== undefined) return { signal: named, pid: { file: pidFile } };
  if (/^[1-9][0-9]{0,9}$/.test(pid ?? '')) return { signal: named, pid: Number(pid) };
  throw flagFailure(
    `--pid: "${pid ?? ''}" is no process id.`,
    'It is a whole number above 0.',
    'Write: --pid-file /run/program.pid',
  );
}
