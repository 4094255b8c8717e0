// The schema of each service, as it would find it, and the clock of the database.
import { isPermanentFault, isTransientFault } from '@twinkey/contracts';
import type { SchemaInspection } from '@twinkey/journal';
import { settingOf } from '@twinkey/settings';
import type { Ground } from './examine.js';
import type { About, Finding } from './finding.js';
import { grantSchema, LOG_IN, makeDatabaseRole } from './mend.js';
import { signsInWithEntra, type ClockReading } from './probes.js';
import { reasonOf } from './rights.js';

/** One line for each service, and one for the clock. */
export async function databaseFindings(ground: Ground): Promise<readonly Finding[]> {
  const { environment, services, probes } = ground;
  if (settingOf(environment, 'DATABASE_URL') === undefined) return [];
  const found = await Promise.all(
    services.map(async (service) => {
      try {
        return { service, seen: await probes.schema(service) };
      } catch (error) {
        return { service, fault: error };
      }
    }),
  );
  const [clock] = found.flatMap((each) => ('seen' in each ? [each.seen] : []));
  return [
    ...found.map((each) =>
      'seen' in each
        ? judgeSchema(each.service, each.seen, signsInWithEntra(environment))
        : unreachable(each.service, each.fault, ground),
    ),
    ...(clock === undefined ? [] : [judgeClock('database', clock, skewOf(environment))]),
  ];
}

/** How far clocks may be apart: what the notifier allows for. */
export function skewOf(environment: Ground['environment']): number {
  return Number(settingOf(environment, 'TWINKEY_CLOCK_SKEW_SECONDS') ?? 5) * 1000;
}

function judgeSchema(service: About, seen: SchemaInspection, withEntra: boolean): Finding {
  const { exists, mayCreateIn, mayCreateSchema, migrations, database, user } = seen;
  const base = { about: service, check: `schema ${service} in database ${database} as ${user}` };
  if (exists ? !mayCreateIn : !mayCreateSchema) {
    return {
      ...base,
      outcome: 'failed',
      detail: exists ? 'it may not make tables in it' : 'it is not there, and may not be made',
      mend: grantSchema(seen, { schema: service, user, database }),
    };
  }
  const detail =
    (migrations === 0
      ? 'empty; the service fills it when it starts'
      : `${migrations} migrations were applied`) + (withEntra ? '; signed in with Entra' : '');
  return { ...base, outcome: 'ok', detail };
}

function unreachable(service: About, fault: unknown, ground: Ground): Finding {
  const base = { about: service, check: `schema ${service}`, outcome: 'failed' } as const;
  return { ...base, detail: reasonOf(fault).says, mend: mendOf(fault, ground) };
}

function mendOf(fault: unknown, { environment, who }: Ground): string {
  const code = isPermanentFault(fault) || isTransientFault(fault) ? fault.code : '';
  const url = settingOf(environment, 'DATABASE_URL') ?? '';
  if (code === 'database-token-unavailable') return LOG_IN;
  if (code === 'database-url-invalid')
    return 'export DATABASE_URL=…   # docs/reference/configuration.md says what goes there';
  if (code === 'database-token-refused' && who !== undefined) return makeDatabaseRole(new URL(url), who);
  return 'psql "$DATABASE_URL" --command "select 1"   # from here; host, port, password and firewall decide';
}

/** Judges another's clock against ours. */
export function judgeClock(whose: string, { aheadMs }: ClockReading, toleratedMs: number): Finding {
  const check = `clock of the ${whose}`;
  const apart = `${(Math.abs(aheadMs) / 1000).toFixed(1)} s`;
  if (Math.abs(aheadMs) <= toleratedMs)
    return {
      about: 'installation',
      check,
      outcome: 'ok',
      detail: `less than ${toleratedMs / 1000} s apart from ours`,
    };
  return {
    about: 'installation',
    check,
    outcome: 'failed',
    detail: `${apart} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`,
    mend: 'timedatectl set-ntp true   # on the machine whose clock is wrong',
  };
}
