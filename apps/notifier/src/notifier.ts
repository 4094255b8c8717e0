import { signOfLife, type ServiceDefinition, type ServiceParts } from '@twinkey/service';
import { watchAccounts } from './account-watch.js';
import { removeUnwanted } from './declared/durable-subscriptions.js';
import { watchLeases } from './lease-watch.js';
import { Lookout } from './lookout.js';
import { NotifierModule } from './notifier.module.js';
import { rounds } from './rounds.js';
import { lookAt } from './settle.js';
import { SHELL, type Shell } from './shell.js';
import { accountsReading, instancesReading } from './readings.js';
import { reportUses } from './use/report-use.js';
import type { NotifierDatabase } from './tables.js';
import {
  sendWebhooks,
  WEBHOOK_VARIABLES,
  Webhooks,
  webhooksOf,
  type WebhookVariables,
} from './webhooks/webhooks.js';

/** Looks that messages and requests cause; the pool has 10 connections, and theirs come first. */
const looksAtOnce = 5;

/** How often an account's use of keys is looked at. A round comes twice as often, so that people learn of it within 45 s. */
const usesEveryMs = 30_000;

type Names =
  | 'TWINKEY_HEARTBEAT_SECONDS'
  | 'TWINKEY_LEASE_SECONDS'
  | 'TWINKEY_REREAD_SECONDS'
  | 'TWINKEY_CLOCK_SKEW_SECONDS'
  | WebhookVariables;

export interface Pace {
  /** How late a deadline or the end of a lease may be noticed; what somebody says is looked at at once. */
  readonly roundMs: number;
}

/** The notifier that does its rounds at this pace. */
export const notifierAt = ({ roundMs }: Pace): ServiceDefinition<Names> => ({
  name: 'notifier',
  variables: [
    'TWINKEY_HEARTBEAT_SECONDS',
    'TWINKEY_LEASE_SECONDS',
    'TWINKEY_REREAD_SECONDS',
    'TWINKEY_CLOCK_SKEW_SECONDS',
    ...WEBHOOK_VARIABLES,
  ],
  migrations: [new URL('../migrations/', import.meta.url)],
  sources: () => [
    { source: { queue: 'switch-requests' } },
    // Those of one account that are under way together share a transaction.
    { source: { queue: 'acknowledgements' }, maxConcurrent: 128 },
    { source: { topic: 'registry-events', subscription: 'notifier' }, maxConcurrent: 4 },
  ],
  module: (parts) => NotifierModule.with(shellOf(parts)),
  readings: ({ database }) => {
    const db = (database as NotifierDatabase).kysely;
    return [accountsReading(db), instancesReading(db)];
  },
  background: (parts, app) => {
    const { database, log, clock, signOfLifeMs } = parts;
    const alive = signOfLife({ name: 'notifier', database, clock, everyMs: signOfLifeMs });
    const shell = app.get<Shell>(SHELL);
    const lookout = app.get(Lookout);
    return [
      { name: 'lookout', start: () => undefined, stop: () => lookout.close() },
      rounds('accounts', roundMs, () => watchAccounts(shell), log),
      rounds('leases', roundMs, () => watchLeases(shell), log),
      rounds(
        'use of keys',
        Math.max(roundMs, usesEveryMs / 2),
        () => reportUses(shell, { everyMs: usesEveryMs }),
        log,
      ),
      rounds('subscriptions', roundMs, () => removeUnwanted(shell), log),
      rounds('alive', roundMs, alive, log),
      ...sendWebhooks(app.get(Webhooks), roundMs, parts),
    ];
  },
});

/** Announces keys, collects acknowledgements, watches leases and deadlines, and says when everybody has moved. */
export const notifier = notifierAt({ roundMs: 1_000 });

function shellOf(parts: ServiceParts<Names>): { shell: Shell; lookout: Lookout; webhooks: Webhooks } {
  const { config, database, bus, log, metrics } = parts;
  const { leaseSeconds, rereadSeconds, clockSkewSeconds, heartbeatSeconds, keyChangedShards } = config;
  const asksForTokens = config.apiAudience !== undefined;
  const lookout: Lookout = new Lookout(
    (account) => lookAt(shell, account, { skipLocked: false }),
    looksAtOnce,
    log,
  );
  const shell: Shell = {
    db: (database as NotifierDatabase).kysely,
    terms: { leaseSeconds, rereadSeconds, clockSkewSeconds },
    heartbeatSeconds,
    shards: keyChangedShards,
    subscriptions: bus.subscriptions,
    asksForTokens,
    log,
    metrics,
    lookSoon: lookout.soon,
  };
  return { shell, lookout, webhooks: webhooksOf(shell, parts) };
}
