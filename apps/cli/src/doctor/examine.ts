// The whole examination, in the order in which one thing makes the next one possible: settings, identity, accounts, rights,
// secrets, databases, clocks, services.
import { readFile } from 'node:fs/promises';
import type { AccountId } from '@twinkey/contracts';
import { settingOf, type Environment, type ServiceName } from '@twinkey/settings';
import { fileFinding, nameOf, readCareFile, secretNameOf, type CareFile, type Entry } from './care-file.js';
import { databaseFindings } from './databases.js';
import type { Finding } from './finding.js';
import { firstLabel, LOG_IN, type Names, type Who } from './mend.js';
import { signsInWithEntra, type Probes } from './probes.js';
import { reasonOf } from './rights.js';
import { serviceFindings } from './services.js';
import { isGiven, settingsFindings } from './settings.js';
import { rightFindings } from './try-rights.js';

export interface Examination {
  readonly environment: Environment;
  readonly services: readonly ServiceName[];
  /** `twinkey.yaml`; without one only the scheduler is worse off. */
  readonly file: string;
  readonly console: string;
  readonly notifier: string;
}

/** An account that is under care, and where its keys go. */
export interface UnderCare {
  readonly id: AccountId;
  readonly vaultUrl?: string;
  readonly secret: string;
}

/** What all checks share. */
export interface Ground extends Examination {
  readonly probes: Probes;
  /** Undefined when there is none, or none is asked for. */
  readonly who: Who | undefined;
  readonly names: Partial<Names>;
  readonly care: CareFile | undefined;
}

/** Says what is right and wrong with an installation, as these services would meet it. Changes nothing. */
export async function examine(
  examination: Examination,
  open: () => Probes,
): Promise<{ readonly findings: readonly Finding[]; readonly who?: Who }> {
  const { environment, services } = examination;
  const settings = settingsFindings(environment, services);
  if (settings.some(({ check }) => /setting (SERVICEBUS|TWINKEY_(SERVICE_BUS|RESOURCE))/.test(check)))
    return { findings: [...settings, skipped('everything else', 'the settings of Azure come first')] };
  const probes = open();
  try {
    const identity = await identityOf(examination, probes);
    const read = await readFileOf(examination);
    const ground: Ground = {
      ...examination,
      probes,
      who: identity.who,
      names: namesIn(environment),
      care: read.care,
    };
    const care = await accountsOf(ground);
    const findings = [
      ...settings,
      ...identity.findings,
      ...read.findings,
      ...care.findings,
      ...(await rightFindings(ground, care.accounts)),
      ...(await secretFindings(ground, care.accounts)),
      ...(await databaseFindings(ground)),
      ...(await serviceFindings(ground)),
    ];
    return { findings, ...(identity.who === undefined ? {} : { who: identity.who }) };
  } finally {
    await probes.close();
  }
}

async function identityOf(
  { environment, services }: Examination,
  probes: Probes,
): Promise<{ readonly findings: readonly Finding[]; readonly who: Who | undefined }> {
  const check = 'identity';
  const isNeeded =
    isGiven(environment, 'TWINKEY_SERVICE_BUS_NAMESPACE') ||
    signsInWithEntra(environment) ||
    services.some((service) => service === 'scheduler' || service === 'rotator');
  if (!isNeeded) return { findings: [skipped(check, 'nothing here asks for one')], who: undefined };
  try {
    const who = await probes.who();
    const says = `${who.kind === 'User' ? 'a person, signed in with' : 'application'} ${who.clientId}, object ${who.objectId}, tenant ${who.tenantId}`;
    return { findings: [{ about: 'installation', check, outcome: 'ok', detail: says }], who };
  } catch (error) {
    return {
      findings: [
        { about: 'installation', check, outcome: 'failed', detail: reasonOf(error).says, mend: LOG_IN },
      ],
      who: undefined,
    };
  }
}

async function readFileOf({ environment, services, file }: Examination): Promise<{
  readonly findings: readonly Finding[];
  readonly care: CareFile | undefined;
}> {
  if (!services.some((service) => service === 'scheduler' || service === 'rotator'))
    return { findings: [], care: undefined };
  try {
    const { file: care, faults } = readCareFile(await readFile(file, 'utf8'), {
      keyVaultUrl: settingOf(environment, 'TWINKEY_KEY_VAULT_URL'),
      subscriptionId: settingOf(environment, 'AZURE_SUBSCRIPTION_ID'),
    });
    return { findings: [fileFinding(file, faults)], care };
  } catch (error) {
    const why = reasonOf(error).says;
    return {
      findings: [
        services.includes('scheduler')
          ? fileFinding(file, [why])
          : skipped('accounts', `only the scheduler has the file; give it with --file (${why})`),
      ],
      care: undefined,
    };
  }
}

/** Those that the file names, and those that discovery finds for it. */
async function accountsOf({ care, probes }: Ground): Promise<{
  readonly findings: readonly Finding[];
  readonly accounts: readonly UnderCare[];
}> {
  if (care === undefined) return { findings: [], accounts: [] };
  const { entries, discovery } = care;
  const written = entries.flatMap((entry) =>
    'id' in entry.account ? [underCare(entry, entry.account.id)] : [],
  );
  const named = entries.filter(({ account }) => !('id' in account));
  if (discovery === undefined || (named.length === 0 && discovery.tag === undefined))
    return { findings: [], accounts: written };
  const findings: Finding[] = [];
  const found: UnderCare[] = [];
  for (const subscription of discovery.subscriptions) {
    try {
      for (const { account, name, tags } of await probes.accounts(subscription)) {
        const entry = named.find((each) => nameOf(each) === name.toLowerCase());
        const { tag } = discovery;
        if (entry !== undefined) found.push(underCare(entry, account));
        else if (
          tag !== undefined &&
          tags[tag.name] === tag.value &&
          !written.some(({ id }) => id === account)
        )
          found.push(underCare({ account: { id: account } }, account));
      }
    } catch (error) {
      findings.push(skipped(`accounts of subscription ${subscription}`, reasonOf(error).says));
    }
  }
  const missing = named.filter((entry) => !found.some(({ id }) => id.endsWith(`/${nameOf(entry)}`)));
  if (findings.length === 0)
    findings.push(
      ...missing.map((entry): Finding => ({
        about: 'scheduler',
        check: `account ${nameOf(entry)}`,
        outcome: 'failed',
        detail: 'discovery does not find it',
        mend: `az cognitiveservices account list --query "[?name=='${nameOf(entry)}'].id"   # write its id into twinkey.yaml`,
      })),
    );
  return { findings, accounts: [...written, ...found] };
}

function underCare(entry: Entry, id: AccountId): UnderCare {
  const secret = secretNameOf({ ...entry, account: { id } });
  return { id, secret, ...(entry.vaultUrl === undefined ? {} : { vaultUrl: entry.vaultUrl }) };
}

/** Whether the keys of accounts were published already; a new installation has published none. */
async function secretFindings(
  { services, probes, who }: Ground,
  accounts: readonly UnderCare[],
): Promise<readonly Finding[]> {
  if (!services.includes('rotator') || who === undefined) return [];
  const findings = accounts.map(async ({ vaultUrl, secret }): Promise<readonly Finding[]> => {
    if (vaultUrl === undefined) return [];
    const check = `secret ${secret} in ${firstLabel(vaultUrl)}`;
    try {
      const isThere = await probes.vault(vaultUrl).has(secret);
      const detail = isThere ? 'published' : 'not published yet; the first rotation does it';
      return [{ about: 'rotator', check, outcome: 'ok', detail }];
    } catch {
      return []; // that the vault does not let us look was said already, with what mends it
    }
  });
  return (await Promise.all(findings)).flat();
}

function namesIn(environment: Environment): Partial<Names> {
  const namespace =
    settingOf(environment, 'TWINKEY_SERVICE_BUS_NAMESPACE') ??
    /^Endpoint=sb:\/\/([^;/]+)/i.exec(settingOf(environment, 'SERVICEBUS_CONNECTION_STRING') ?? '')?.[1];
  const subscription = settingOf(environment, 'AZURE_SUBSCRIPTION_ID');
  return {
    ...(namespace === undefined ? {} : { namespace: firstLabel(namespace) }),
    ...(subscription === undefined ? {} : { subscription }),
  };
}

function skipped(check: string, detail: string): Finding {
  return { about: 'installation', check, outcome: 'skipped', detail };
}
