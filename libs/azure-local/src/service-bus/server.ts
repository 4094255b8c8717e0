import { refuse, withFaults } from './administering.js';
import { Connection } from './amqp/connection.js';
import { atomHandler } from './atom/atom.js';
import type { SasKey, VerifyToken } from './authorization.js';
import { entityNotFound, Refused } from './errors.js';
import type { ServiceBusFaults } from './faults.js';
import { StallableJournal } from './journal-stall.js';
import { FileJournal } from './journal/file-journal.js';
import { memoryJournal, type Journal } from './journal/journal.js';
import { listen, type Listener, type ListenerSettings } from './listener.js';
import { Hub, type HubSettings } from './protocol/hub.js';
import { storeOf } from './protocol/request.js';
import { applyTopology, type Topology } from './state/topology.js';
import { Ticker } from './ticker.js';

export type { PresentedToken, SasKey, Verdict, VerifyToken } from './authorization.js';
export type { BusEffect, BusFault, BusOperation, PlantedBusFault, ServiceBusFaults } from './faults.js';
export type { Topology } from './state/topology.js';

export interface ServiceBusSettings {
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** PEM; `cert` may be a chain. With it TLS is offered on the same port as plain. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Where accepted messages survive a restart; absent: in memory only. */
  readonly dataDir?: string;
  /** Milliseconds since 1970; default `Date.now`. */
  readonly clock?: () => number;
  /** Whoever moves the clock calls `tick` then, so that nobody has to look at it all the time. */
  readonly clockIsTold?: boolean;
  /** Judges tokens that no configured key explains. */
  readonly verifyToken?: VerifyToken;
  /** Keys whose shared access signatures are accepted for everything. */
  readonly sas?: readonly SasKey[];
  /** Accept any shared access signature: for development connection strings. */
  readonly allowAnySas?: boolean;
  /** Created if missing; the shape of the official emulator's Config.json. */
  readonly topology?: Topology;
  readonly log?: (entry: LogEntry) => void;
}

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface EntityStats {
  readonly active: number;
  readonly dead: number;
  readonly scheduled: number;
  readonly deferred: number;
}

export interface ServiceBusStats {
  readonly connections: number;
  /** By path: queues, and subscriptions as `topic/Subscriptions/name`. */
  readonly entities: Readonly<Record<string, EntityStats>>;
}

export interface ServiceBusServer {
  readonly port: number;
  readonly namespace: string;
  readonly faults: ServiceBusFaults;
  stats(): ServiceBusStats;
  /** Lets time take effect at once after an injected clock was moved; it is noticed by itself within 10 ms. */
  tick(): void;
  close(): Promise<void>;
}

const UNAVAILABLE = new Refused('amqp:internal-error', 'The namespace cannot write down changes', 503);
const NAMESPACE = 'sbemulatorns';

/** Starts a Service Bus namespace on 127.0.0.1. Rejects when the port is taken or the data folder unusable. */
export async function startServiceBus(settings: ServiceBusSettings): Promise<ServiceBusServer> {
  const clock = settings.clock ?? Date.now;
  const { log } = settings;
  const write: HubSettings['log'] = (level, message, more) => log?.({ ...more, level, message });
  const file = settings.dataDir === undefined ? undefined : new FileJournal(settings.dataDir, write);
  const journal = new StallableJournal(file ?? memoryJournal);
  const hub = new Hub({
    clock,
    journal,
    verifyToken: settings.verifyToken,
    sas: settings.sas,
    allowAnySas: settings.allowAnySas ?? false,
    log: write,
  });
  if (file !== undefined)
    file.onBroken = (reason) => {
      hub.breakDown(reason);
    };
  file?.restore(hub.broker, clock());
  if (settings.topology !== undefined) {
    applyTopology(hub.broker, settings.topology, clock(), (message, more) => {
      write('warn', message, more);
    });
  }

  const administration = atomHandler({
    broker: hub.broker,
    namespace: NAMESPACE,
    verify: hub.verify,
    now: clock,
    whenDurable: (then) => {
      hub.whenDurable(then);
    },
  });
  const onRequest = withFaults((request, response) => {
    if (hub.isBroken) refuse(response, UNAVAILABLE);
    else administration(request, response);
  }, hub);
  const listener = await listenOrRelease(journal, {
    port: settings.port ?? 0,
    tls: settings.tls,
    onRequest,
    onAmqp: (wire) => {
      const connection = new Connection(wire, hub);
      hub.opened(connection);
      return connection;
    },
    refuses: () => hub.faults.refusesConnection(),
  });
  const ticker = new Ticker(hub, settings.clock !== undefined && settings.clockIsTold !== true);
  ticker.start();
  hub.afterTurn = () => {
    ticker.review();
  };

  return {
    port: listener.port,
    namespace: NAMESPACE,
    faults: faultsOf(hub),
    stats: () => statsOf(hub),
    tick: () => {
      hub.turn();
    },
    close: async () => {
      ticker.stop();
      hub.isOver = true;
      hub.dropConnections();
      await listener.close();
      hub.turn();
      await journal.close();
    },
  };
}

async function listenOrRelease(journal: Journal, settings: ListenerSettings): Promise<Listener> {
  try {
    return await listen(settings);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function faultsOf(hub: Hub): ServiceBusFaults {
  const { faults } = hub;
  return {
    add: (fault) => faults.add(fault),
    remove: (id) => faults.remove(id),
    list: () => faults.list(),
    dropConnections: () => hub.dropConnections(),
    expireLocks: (address) => {
      const entity = hub.broker.find(address);
      if (entity === undefined) throw entityNotFound(address);
      storeOf({ entity }).expireLocks(hub.now());
    },
    refuseTokens: (on) => {
      hub.refusesTokens = on;
    },
  };
}

function statsOf(hub: Hub): ServiceBusStats {
  const entities: Record<string, EntityStats> = {};
  for (const store of hub.broker.stores())
    if (store.deadLetters !== undefined)
      entities[store.path] = {
        active: store.activeCount,
        dead: store.deadLetters.messages.size,
        scheduled: store.scheduledCount,
        deferred: store.deferredCount,
      };
  return { connections: hub.connections.size, entities };
}
