// What flags of agents have in common: pure, and each failure names the flag, the rule and a remedy.
import type { Readiness } from '@twinkey/agent';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { parseDuration } from './settings.js';

export interface CommonFlags {
  readonly consumer?: string;
  readonly account?: readonly string[];
  readonly readyCommand?: string;
  readonly readyUrl?: string;
  readonly readyWithin: string;
  readonly tryAgain: string;
}

/** Ends the command before anything is started. */
export function flagFailure(what: string, rule: string, remedy: string): Failure {
  return new Failure(EXIT.usage, { what, why: rule, state: 'Nothing was started.', remedy });
}

export function consumerIn({ consumer }: CommonFlags): string {
  if (consumer !== undefined && /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(consumer)) return consumer;
  throw flagFailure(
    consumer === undefined ? '--consumer is missing.' : `--consumer: "${consumer}" is no name of a consumer.`,
    'The program is registered under a name of 1 to 63 lower-case letters, digits and dashes.',
    'Write: --consumer speech-importer (or set TWINKEY_CONSUMER)',
  );
}

/** `0`, or what other durations are. */
export function span(flag: string, text: string): number {
  if (/^0(ms|s|m|h|d)?$/.test(text)) return 0;
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw flagFailure(`${flag}: ${error.lines.what}`, error.lines.why, `Write: ${flag} 30s`);
  }
}

const ASK_EVERY_MS = 500;

/** Undefined: the program cannot be asked. */
export function readinessIn({ readyCommand, readyUrl, readyWithin }: CommonFlags): Readiness | undefined {
  const withinMs = span('--ready-within', readyWithin);
  if (readyCommand === undefined && readyUrl === undefined) return undefined;
  if (readyCommand?.trim() === '') {
    throw flagFailure(
      '--ready-command is empty.',
      'It is a command line for a shell.',
      'Write: --ready-command "pg_isready"',
    );
  }
  if (readyUrl !== undefined && !/^https?:$/.test(URL.canParse(readyUrl) ? new URL(readyUrl).protocol : '')) {
    throw flagFailure(
      `--ready-url: "${readyUrl}" is no URL.`,
      'It must begin with http:// or https://.',
      'Write: --ready-url http://127.0.0.1:8080/ready',
    );
  }
  return { command: readyCommand, url: readyUrl, withinMs, everyMs: ASK_EVERY_MS };
}

/** How the keys of accounts are called where they are put. */
export interface NamedAccounts {
  readonly accounts: readonly string[];
  /** By account. */
  readonly names: ReadonlyMap<string, string>;
}

export interface NameRule {
  /** The flag that names: `--env`. */
  readonly flag: string;
  readonly isName: (name: string) => boolean;
  /** What a name may be, as a sentence. */
  readonly rule: string;
  /** For accounts that are not named; absent: each has to be. */
  readonly nameFor?: (account: string) => string;
}

/** Accounts, from `--account A` and from `NAME=A`; each has one name, and no two have the same. */
export function namedAccounts(
  asked: readonly string[] = [],
  named: readonly string[] = [],
  { flag, isName, rule, nameFor }: NameRule,
): NamedAccounts {
  const accounts = new Map<string, string>();
  const take = (account: string): string => {
    const known = accounts.get(account.toLowerCase()) ?? account;
    accounts.set(account.toLowerCase(), known);
    return known;
  };
  for (const account of asked) {
    if (account.trim() === '')
      throw flagFailure('--account is empty.', 'It names an account.', 'Write: --account speech-weu');
    take(account);
  }
  const names = new Map<string, string>();
  for (const each of named) {
    const [, name = '', account] = /^([^=]*)(?:=(.*))?$/s.exec(each) ?? [];
    if (!isName(name))
      throw flagFailure(`${flag}: "${name}" is no name.`, rule, `Write: ${flag} NAME=ACCOUNT`);
    names.set(theOne(account, accounts, take, { flag, name }), name);
  }
  if (accounts.size === 0) {
    throw flagFailure(
      'No account is named.',
      'An agent follows at least one account.',
      `Write: --account speech-weu (or ${flag} NAME=speech-weu)`,
    );
  }
  for (const account of accounts.values()) {
    if (names.has(account)) continue;
    if (nameFor === undefined)
      throw flagFailure(
        `${flag} is missing for ${account}.`,
        'Each account needs a name for its key.',
        `Write: ${flag} SPEECH_KEY=${account}`,
      );
    names.set(account, nameFor(account));
  }
  refuseTwins(names, flag);
  return { accounts: [...accounts.values()], names };
}

function theOne(
  account: string | undefined,
  accounts: ReadonlyMap<string, string>,
  take: (account: string) => string,
  { flag, name }: { flag: string; name: string },
): string {
  if (account !== undefined && account !== '') return take(account);
  const [only] = accounts.values();
  if (account === undefined && only !== undefined && accounts.size === 1) return only;
  throw flagFailure(
    `${flag}: ${name} does not say whose key it is.`,
    'The account may be left out when there is exactly one --account.',
    `Write: ${flag} ${name}=ACCOUNT`,
  );
}

function refuseTwins(names: ReadonlyMap<string, string>, flag: string): void {
  const seen = new Set<string>();
  for (const [account, name] of names) {
    if (seen.has(name))
      throw flagFailure(
        `${flag}: ${name} is used twice.`,
        'Each account needs a name of its own.',
        `Write: ${flag} OTHER_NAME=${account}`,
      );
    seen.add(name);
  }
}

export const VARIABLE: Pick<NameRule, 'isName' | 'rule'> = {
  isName: (name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name),
  rule: 'A variable has letters, digits and _, and does not begin with a digit.',
};
