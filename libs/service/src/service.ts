import type { TokenCredential } from '@azure/identity';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import type { Database, OutboxRelay } from '@twinkey/journal';
import type { SourceToReceive } from '@twinkey/nest-service-bus';
import type { Bus } from '@twinkey/service-bus';
import type { Config } from '@twinkey/settings';
import type { Health } from './health.js';
import type { Log } from './log.js';
import type { Metrics, Reading } from './metrics/metrics.js';
import type { ServiceName } from '@twinkey/settings';
import type { VariableName } from '@twinkey/settings';

/** What a service consists of. Everything else (configuration, logs, health, messages, the end) is the host's. */
export interface ServiceDefinition<Names extends VariableName = never> {
  /** Also the name of its PostgreSQL schema. */
  readonly name: ServiceName;
  /** Variables besides those of every service. */
  readonly variables: readonly Names[];
  /** Folders of `NNNN-name.sql`, run in the service's schema. */
  readonly migrations: readonly URL[];
  readonly sources: (config: Config<Names>) => readonly SourceToReceive[];
  /** Called before the database is known to answer: providers must not query it in their constructors or `onModuleInit`. */
  readonly module: (parts: ServiceParts<Names>) => DynamicModule | Type;
  /** Facts of its tables that are shown as metrics; asked for at scrapes only. */
  readonly readings?: (parts: ServiceParts<Names>) => readonly Reading[];
  /** Started in order once the schema is migrated and messages are received; stopped first and in reverse order at the end. */
  readonly background?: (parts: ServiceParts<Names>, app: INestApplicationContext) => readonly Background[];
}

/** What the host hands to a service. */
export interface ServiceParts<Names extends VariableName = never> {
  readonly name: ServiceName;
  readonly config: Config<Names>;
  readonly database: Database;
  readonly bus: Bus;
  readonly credential: TokenCredential;
  readonly log: Log;
  /** Commits of this process wake it by themselves. */
  readonly relay: OutboxRelay;
  readonly clock: () => Date;
  readonly health: Health;
  readonly metrics: Metrics;
  /** How often it says that it does its rounds; absent: as often as the console expects it. */
  readonly signOfLifeMs?: number;
}

/** Work that no message and no request causes. */
export interface Background {
  readonly name: string;
  start(): Promise<void> | void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}
