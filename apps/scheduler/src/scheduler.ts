import { AccountKeys } from '@twinkey/key-store';
import type { INestApplicationContext } from '@nestjs/common';
import { pastSpan, signOfLife, type ServiceDefinition, type ServiceParts } from '@twinkey/service';
import { CareFile } from './care-file.js';
import { Care } from './care.js';
import { Loop } from './loop.js';
import { measuredAzure } from './measured-azure.js';
import { accountsReading } from './readings.js';
import { SchedulerModule } from './scheduler.module.js';
import type { Azure } from './survey.js';
import { repeatDeclarations, tick } from './tick.js';

const VARIABLES = [
  'TWINKEY_FILE',
  'AZURE_SUBSCRIPTION_ID',
  'TWINKEY_KEY_VAULT_URL',
  'TWINKEY_TICK_SECONDS',
  'TWINKEY_RESOURCE_MANAGER_ENDPOINT',
] as const;
type Variables = (typeof VARIABLES)[number];

/** The scheduler, with its accounts looked up as told. */
export function schedulerOver(
  azureOf: (parts: ServiceParts<Variables>) => Azure,
): ServiceDefinition<Variables> {
  return {
    name: 'scheduler',
    variables: VARIABLES,
    migrations: [new URL('../migrations/', import.meta.url)],
    sources: () => [{ source: { topic: 'rotation-events', subscription: 'scheduler' }, maxConcurrent: 16 }],
    module: (parts) => SchedulerModule.of(careFor(measuredAzure(azureOf(parts), parts.metrics), parts)),
    readings: ({ database }) => [accountsReading(database)],
    background: (parts, app) => loops(parts, app),
  };
}

/** The scheduler: knows the accounts and their policies, asks for the rotations that are due. */
export const scheduler = schedulerOver(
  ({ config, credential, log }) =>
    new AccountKeys({ credential, endpoint: config.resourceManagerEndpoint, log }),
);

function careFor(azure: Azure, { config, database, clock, log }: ServiceParts<Variables>): Care {
  return new Care({
    database,
    azure,
    file: new CareFile(config.file, config),
    clock,
    log,
  });
}

function loops(
  { config, database, log, clock, metrics, signOfLifeMs }: ServiceParts<Variables>,
  app: INestApplicationContext,
): Loop[] {
  const care = app.get(Care);
  const pauseMs = config.tickSeconds * 1000;
  const alive = signOfLife({ name: 'scheduler', database, clock, everyMs: signOfLifeMs });
  let told = false;
  const survey = new Loop('survey', pauseMs, log, async (signal) => {
    const again = told;
    told = false;
    await care.keepUp({ again, signal });
  });
  const ticks = new Loop('tick', pauseMs, log, async () => {
    for (const asked of await tick(care.database, clock)) {
      const { rotationId } = asked;
      const now = clock().getTime();
      metrics.count('twinkey_rotations_due_total', {});
      pastSpan('ask for rotation', { rotationId, from: now, to: now }, { 'twinkey.why': asked.why });
      log.info(asked, 'A rotation is due');
    }
    await repeatDeclarations(care.database, clock());
    await alive();
  });
  // For the life of the process: whoever edits the file may say so instead of waiting.
  process.on('SIGHUP', () => {
    told = true;
    survey.wake();
  });
  return [survey, ticks];
}
