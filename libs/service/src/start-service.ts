import type { AddressInfo } from 'node:net';
import { migrate, openDatabase, OutboxRelay, type Database } from '@twinkey/journal';
import { ServiceBusStrategy, type Around } from '@twinkey/nest-service-bus';
import { connectBus, type Bus } from '@twinkey/service-bus';
import { accessOf } from './access/access-of.js';
import { createApp } from './create-app.js';
import { databasePassword, serviceCredential } from './credential.js';
import { ServiceHealth } from './health.js';
import type { Log } from './log.js';
import { openLog } from './logging.js';
import { countHandling, expectTypes } from './metrics/handling.js';
import { outboxReading } from './metrics/outbox-reading.js';
import { openMetricsServer } from './metrics/metrics-server.js';
import { PrometheusMetrics } from './metrics/prometheus.js';
import { pruning } from './pruning.js';
import { readConfig, type Environment } from '@twinkey/settings';
import { sendOutbox } from './send-outbox.js';
import type { Background, ServiceDefinition, ServiceParts } from './service.js';
import { shutDown } from './shut-down.js';
import { traceHandling } from './traces/handling.js';
import { startTracing } from './traces/start-tracing.js';
import type { VariableName } from '@twinkey/settings';
import { waitFor } from './wait-for.js';

export interface ServiceSurroundings {
  readonly environment: Environment;
  /** Takes finished log lines; standard output unless told. */
  readonly write?: (line: string) => void;
}

export interface RunningService {
  readonly log: Log;
  /** Where it listens. */
  readonly url: string;
  /** Where health and metrics are, for whoever can reach it. */
  readonly metricsUrl: string;
  /** Resolves when database and bus answered and everything runs, or when it was stopped before; rejects when it cannot come to that. */
  readonly ready: Promise<void>;
  /** Ends it in order. Resolves with false when that took longer than it may: then something was cut off. */
  stop(): Promise<boolean>;
}

/**
 * Starts a service. Resolves as soon as it listens, so that it can be asked how it is while it waits for its
 * neighbours. Rejects with a ConfigurationError or a PermanentFault when it cannot work as configured.
 */
export async function startService<Names extends VariableName>(
  definition: ServiceDefinition<Names>,
  { environment, write }: ServiceSurroundings,
): Promise<RunningService> {
  const { name } = definition;
  const config = readConfig(name, definition.variables, environment);
  const log = openLog({
    service: name,
    level: config.logLevel,
    format: config.logFormat,
    ...(write === undefined ? {} : { write }),
  });
  const stopTracing = await startTracing(name, environment, log);
  const credential = serviceCredential(config);
  const bus = connectBus(
    {
      connectionString: config.serviceBusConnectionString,
      namespace: config.serviceBusNamespace,
      endpoint: config.serviceBusEndpoint,
    },
    credential,
    { log },
  );
  const database = await openDatabase({
    url: config.databaseUrl,
    ...(config.databaseEntra ? { password: databasePassword(credential) } : {}),
    schema: name,
    applicationName: `twinkey-${name}`,
    log,
  });
  const relay = new OutboxRelay(database, { send: sendOutbox(bus), log });
  const health = new ServiceHealth();
  const metrics = new PrometheusMetrics(name);
  const parts: ServiceParts<Names> = {
    name,
    config,
    database,
    bus,
    credential,
    log,
    relay,
    clock: () => new Date(),
    health,
    metrics,
  };
  const sources = definition.sources(config);
  health.watch('database', () => database.ping());
  health.watch('bus', () => bus.ping(sources[0]?.source));

  metrics.readAtScrapes([outboxReading(relay), ...(definition.readings?.(parts) ?? [])]);

  const count = countHandling(metrics);
  const around: Around = (message, type, handle) =>
    count(message, type, () => traceHandling(message, type, handle));
  const strategy = new ServiceBusStrategy({ bus, sources, log, around });
  // First, so that a port that is taken is told before anything runs that would have to be ended.
  const metricsServer = await openMetricsServer(
    { health, metrics },
    { host: config.httpHost, port: config.metricsPort ?? metricsPortBeside(config.port), service: name },
  );
  const app = await createApp(definition.module(parts), {
    log,
    health,
    metrics,
    access: accessOf(config, environment),
  });
  app.connectMicroservice({ strategy });
  await app.listen(config.port, config.httpHost);
  const { port } = (app.getHttpServer() as { address(): AddressInfo }).address();
  const url = `http://${config.httpHost.includes(':') ? `[${config.httpHost}]` : config.httpHost}:${port}`;
  log.info({ url, metricsUrl: metricsServer.url }, 'Listening');

  const stopping = new AbortController();
  const background: Background[] = [];
  const ready = (async () => {
    await waitForNeighbours(
      { database, bus, log },
      definition.migrations,
      sources[0]?.source,
      stopping.signal,
    );
    await app.startAllMicroservices();
    expectTypes(metrics, strategy.types);
    relay.start();
    for (const work of [pruning(database, log), ...(definition.background?.(parts, app) ?? [])]) {
      stopping.signal.throwIfAborted();
      background.push(work);
      await work.start();
    }
    health.started();
    log.info({ url }, 'Ready');
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error;
  });
  ready.catch(() => undefined); // whoever asks for `ready` hears of it

  let stopped: Promise<boolean> | undefined;
  const stop = async () => {
    log.info({}, 'Stopping');
    health.stopping();
    stopping.abort(new Error('The service stops.'));
    await ready.catch(() => undefined);
    const clean = await shutDown(
      { background, strategy, app, relay, bus, database },
      { withinMs: config.shutdownSeconds * 1_000, log },
    );
    await stopTracing();
    await metricsServer.close(); // until now it could be asked how the end is going
    return clean;
  };
  return { log, url, metricsUrl: metricsServer.url, ready, stop: () => (stopped ??= stop()) };
}

const METRICS_PORT_ABOVE = 10;

/** Well known ports stay apart from each other; where any port will do, so it will for metrics. */
function metricsPortBeside(port: number): number {
  return port === 0 ? 0 : port + METRICS_PORT_ABOVE;
}

interface Neighbours {
  readonly database: Database;
  readonly bus: Bus;
  readonly log: Log;
}

async function waitForNeighbours(
  { database, bus, log }: Neighbours,
  migrations: readonly URL[],
  source: Parameters<Bus['ping']>[0],
  signal: AbortSignal,
): Promise<void> {
  const applied = await waitFor(() => migrate(database, migrations), { what: 'the database', log, signal });
  if (applied.length > 0) log.info({ migrations: applied }, 'The schema was brought up to date');
  // New role assignments take minutes to work: that is waited for, too.
  await waitFor(() => bus.ping(source), { what: 'Service Bus', log, signal, evenPermanent: true });
}
