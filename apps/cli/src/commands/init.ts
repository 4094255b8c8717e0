import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { DefaultAzureCredential } from '@azure/identity';
import { isPermanentFault, isTransientFault } from '@twinkey/contracts';
import { AccountKeys } from '@twinkey/key-store';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { type Discovered, readAccounts } from '../init/accounts-file.js';
import { type Beginning, filesOf, nextSteps } from '../init/files.js';
import { printList, screenFor } from '../screen.js';
import { type GlobalOptions, usageFailure } from '../settings.js';

export interface InitOptions {
  readonly prefix: string;
  readonly subscription?: string;
  readonly fromFile?: string;
  readonly out: string;
  readonly deploy: string;
  readonly force?: boolean;
}

const NOTHING = 'Nothing was written.';

/** `twinkey init`: writes the files with which an installation begins, and touches nothing in Azure. */
export async function init(options: GlobalOptions, flags: InitOptions): Promise<void> {
  const { prefix, out, deploy, force = false } = flags;
  if (!/^[a-z][a-z0-9-]{1,12}[a-z0-9]$/.test(prefix))
    throw usageFailure(
      `"${prefix}" cannot begin the names of things in Azure.`,
      'A prefix has 3 to 14 lower-case letters, digits and dashes, a letter first and no dash last.',
    );
  if (!existsSync(join(deploy, 'kubernetes/base')) || !existsSync(join(deploy, 'bicep/main.bicep')))
    throw usageFailure(
      `${deploy} is not the folder deploy of twinkey.`,
      'The files build on kubernetes/base and bicep/main.bicep in it.',
      'Say where it is with --deploy, in a copy of the repository.',
    );
  const accounts = await accountsOf(flags);
  if (accounts.length === 0)
    throw new Failure(EXIT.notFound, {
      what: 'There is no account.',
      why: 'The subscription, or the file, has none that this identity sees.',
      state: NOTHING,
      remedy: 'See: az cognitiveservices account list --output table',
    });
  const [, subscription = ''] = /^\/subscriptions\/([^/]+)/.exec(accounts[0]?.id ?? '') ?? [];
  const beginning: Beginning = {
    accounts,
    prefix,
    subscription: flags.subscription ?? subscription,
    deploy: relative(resolve(out), resolve(deploy)).replaceAll('\\', '/') || '.',
  };
  const files = filesOf(beginning);
  const written = await write(out, files, force);
  const screen = screenFor(options);
  const next = nextSteps(beginning, out);
  printList(screen, written, {
    whole: { written, accounts: accounts.map(({ id }) => id), next },
    name: (path) => path,
    table: () => written.map((path) => `written: ${path}`),
  });
  const left = accounts.filter(({ isKeyless }) => isKeyless).length;
  screen.talk(
    `${accounts.length} accounts${left === 0 ? '' : `, ${left} of them without keys and left out`}. What is next:`,
  );
  for (const [index, step] of next.entries()) screen.talk(`${index + 1}. ${step}`);
}

/** All files or none: one that somebody wrote is not overwritten, unless told to. */
async function write(
  folder: string,
  files: Readonly<Record<string, string>>,
  force: boolean,
): Promise<readonly string[]> {
  const paths = Object.keys(files).map((name) => join(folder, name));
  const there = paths.filter((path) => existsSync(path));
  if (there.length > 0 && !force)
    throw new Failure(EXIT.conflict, {
      what: `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already.`,
      why: 'What you wrote is not overwritten.',
      state: NOTHING,
      remedy: 'Write elsewhere with --out, or over it with --force.',
    });
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { flag: force ? 'w' : 'wx' });
  return paths;
}

async function accountsOf({ fromFile, subscription }: InitOptions): Promise<readonly Discovered[]> {
  if (fromFile !== undefined) return accountsIn(fromFile);
  if (subscription === undefined)
    throw usageFailure(
      'There is no subscription to look in.',
      'Accounts come from --subscription (or AZURE_SUBSCRIPTION_ID), or from --from-file.',
    );
  const keys = new AccountKeys({
    credential: new DefaultAzureCredential({
      disableInstanceDiscovery: process.env['TWINKEY_DISABLE_INSTANCE_DISCOVERY'] === 'true',
    }),
    endpoint: process.env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? 'https://management.azure.com',
  });
  const found: Discovered[] = [];
  try {
    for await (const { account, kind, disableLocalAuth } of keys.accounts(subscription))
      found.push({ id: account, kind, isKeyless: disableLocalAuth });
  } catch (error) {
    throw notListed(subscription, error);
  }
  return found;
}

async function accountsIn(file: string): Promise<readonly Discovered[]> {
  try {
    return readAccounts(await readFile(file, 'utf8'));
  } catch (error) {
    throw usageFailure(
      `${file} holds no accounts.`,
      error instanceof Error ? error.message : String(error),
      'Make it with: az cognitiveservices account list --output json',
    );
  }
}

function notListed(subscription: string, cause: unknown): unknown {
  if (!isPermanentFault(cause) && !isTransientFault(cause)) return cause;
  const isRefused = isPermanentFault(cause) || cause.code.startsWith('token-');
  return new Failure(
    isRefused ? EXIT.auth : EXIT.failed,
    {
      what: `The accounts of ${subscription} cannot be listed.`,
      why: cause.message.split('\n')[0] ?? '',
      state: NOTHING,
      remedy:
        'Sign in with az login, as somebody who may read accounts; or let such a person run: az cognitiveservices account list --output json > accounts.json, and use --from-file accounts.json.',
    },
    { cause },
  );
}
