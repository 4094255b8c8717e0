import {
  type Addressee,
  type FileOptions,
  type Format,
  type KubernetesOptions,
  secretNamed,
  signalNamed,
  variableFor,
  workloadNamed,
} from '@twinkey/agent';
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
  readonly kubernetesSecret?: string;
  readonly restart?: readonly string[];
  readonly rolloutWithin: string;
  readonly goodbye?: boolean;
}

export type Place = { readonly file: FileOptions } | { readonly kubernetes: KubernetesOptions };

export interface AgentPlan {
  readonly consumer: string;
  readonly accounts: readonly string[];
  readonly goodbye: boolean;
  readonly tryAgainMs: number;
  readonly place: Place;
}

/** Throws a Failure for the first flag that is wrong. */
export function readAgentFlags(flags: AgentFlags): AgentPlan {
  const { accounts, place } = placeIn(flags);
  return {
    consumer: consumerIn(flags),
    accounts,
    goodbye: flags.goodbye ?? false,
    tryAgainMs: span('--try-again', flags.tryAgain),
    place,
  };
}

type Placed = Pick<AgentPlan, 'accounts' | 'place'>;

function placeIn(flags: AgentFlags): Placed {
  const { out, kubernetesSecret } = flags;
  if (out !== undefined && kubernetesSecret !== undefined) {
    throw flagFailure(
      '--out and --kubernetes-secret exclude each other.',
      'An agent keeps keys in one place.',
      'Run one agent for each.',
    );
  }
  if (kubernetesSecret !== undefined) return secretIn(kubernetesSecret, flags);
  if (out !== undefined && out.trim() !== '') return fileIn(out, flags);
  throw flagFailure(
    '--out is missing.',
    'An agent puts keys into a file or a Secret.',
    'Write: --out /run/keys/speech (or --kubernetes-secret, or run the program with: twinkey exec)',
  );
}

function fileIn(out: string, flags: AgentFlags): Placed {
  refuseStrays(flags, ['restart'], '--kubernetes-secret');
  const format = flags.format ?? 'raw';
  const { accounts, names } = namedAccounts(flags.account, flags.key, NAMES[format]);
  if (format === 'raw' && accounts.length > 1) {
    throw flagFailure(
      `--format raw cannot hold ${accounts.length} keys.`,
      'A raw file is one key and nothing else.',
      'Write: --format env, --format json, or run one agent per file',
    );
  }
  const file: FileOptions = {
    out,
    format,
    names,
    mode: modeIn(flags),
    addressee: addresseeIn(flags),
    readiness: readinessIn(flags),
    drainMs: span('--drain', flags.drain ?? '30s'),
  };
  return { accounts, place: { file } };
}

function secretIn(text: string, flags: AgentFlags): Placed {
  const strays = ['format', 'mode', 'signal', 'pid', 'pidFile', 'readyCommand', 'readyUrl'] as const;
  refuseStrays(flags, strays, '--out');
  const secret = secretNamed(text);
  if (secret === undefined) {
    throw flagFailure(
      `--kubernetes-secret: "${text}" is no Secret.`,
      'It is NAMESPACE/NAME, in lower-case letters, digits, dashes and dots.',
      'Write: --kubernetes-secret shop/speech-key',
    );
  }
  const { accounts, names } = namedAccounts(flags.account, flags.key, ENTRY);
  const workloads = (flags.restart ?? []).map(restartOf);
  if (workloads.length === 0 && flags.drain === undefined) {
    throw flagFailure(
      'Nothing is restarted, and --drain is missing.',
      'Pods that read the Secret again by themselves do so at some time; somebody has to say how long that takes at most.',
      'Write: --restart deployment/web (or --drain 5m)',
    );
  }
  const kubernetes: KubernetesOptions = {
    namespace: secret.namespace,
    secret: secret.name,
    names,
    workloads,
    rolloutWithinMs: span('--rollout-within', flags.rolloutWithin),
    drainMs: span('--drain', flags.drain ?? '0'),
  };
  return { accounts, place: { kubernetes } };
}

function restartOf(text: string): KubernetesOptions['workloads'][number] {
  const workload = workloadNamed(text);
  if (workload !== undefined) return workload;
  throw flagFailure(
    `--restart: "${text}" is nothing that can be restarted.`,
    'It is KIND/NAME, and KIND is deployment, statefulset or daemonset; it is in the namespace of the Secret.',
    'Write: --restart deployment/web',
  );
}

/** A flag that has no effect is a misunderstanding. */
function refuseStrays(flags: AgentFlags, strays: readonly (keyof AgentFlags)[], companion: string): void {
  const stray = strays.find((name) => flags[name] !== undefined);
  if (stray === undefined) return;
  const flag = `--${stray.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw flagFailure(`${flag} goes with ${companion} only.`, 'Here it has no effect.', `Leave ${flag} out.`);
}

const nameOf = (account: string): string => account.split('/').at(-1) ?? account;

const NAMES: Readonly<Record<Format, NameRule>> = {
  raw: { flag: '--key', isName: () => true, rule: '', nameFor: nameOf },
  env: { flag: '--key', ...VARIABLE, nameFor: (account) => variableFor(nameOf(account)) },
  json: {
    flag: '--key',
    isName: (name) => name !== '',
    rule: 'A field of JSON has a name.',
    nameFor: nameOf,
  },
};

const ENTRY: NameRule = {
  flag: '--key',
  isName: (name) => /^[-._a-zA-Z0-9]{1,253}$/.test(name),
  rule: 'An entry of a Secret has letters, digits, dashes, dots and _.',
  nameFor: nameOf,
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
