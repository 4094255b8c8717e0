import { randomBytes } from 'node:crypto';
import type { Connection, ConnectionHost } from '../amqp/connection.js';
import type { Link } from '../amqp/link.js';
import { verifierOf, type SasKey, type VerifyToken } from '../authorization.js';
import { Broker } from '../state/broker.js';
import { BusFaults, type BusEffect, type BusOperation } from '../faults.js';
import type { StallableJournal } from '../journal-stall.js';
import type { Queue } from '../state/queue.js';
import { strike, type Attempt } from './attempt.js';
import { Attaching, type AttachingHost, type ConnectionState } from './attaching.js';
import { Grants } from './grants.js';
import { tokenFor } from './plain-credentials.js';
import { Replies } from './replies.js';
import { Transactions } from './transactions.js';

export interface HubSettings {
  readonly clock: () => number;
  readonly journal: StallableJournal;
  readonly verifyToken: VerifyToken | undefined;
  readonly sas: readonly SasKey[] | undefined;
  readonly allowAnySas: boolean;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, more?: object) => void;
}

/**
 * Between the broker and its connections. Everything that happens in one turn of the event loop is finished
 * together at its end: waiting receivers are served, the journal is written, then the sockets. So what a client
 * hears was written down before, and a burst costs one write per socket.
 */
export class Hub implements ConnectionHost, AttachingHost {
  readonly containerId = `service-bus-${randomBytes(6).toString('hex')}`;
  readonly broker: Broker;
  readonly faults = new BusFaults();
  /** By order of a test. */
  refusesTokens = false;
  /** The server is closing: what lingers takes no effect any more. */
  isOver = false;
  /** Nothing can be written down any more, so nothing is done any more. */
  isBroken = false;
  readonly verify: VerifyToken;
  readonly connections = new Map<Connection, ConnectionState>();
  private readonly attaching = new Attaching(this);
  private readonly touchedConnections = new Set<Connection>();
  private readonly hungryQueues = new Set<Queue>();
  afterTurn: () => void = () => undefined;
  private turnIsDue = false;
  private readonly tokenPrefix = randomBytes(8);
  private tokenCount = 0;

  constructor(private readonly settings: HubSettings) {
    const { journal } = settings;
    const verify = verifierOf({ ...settings, entityKeys: (entity) => this.broker.keysOf(entity) });
    this.verify = (token) =>
      this.refusesTokens
        ? Promise.resolve({ refused: 'Tokens are refused by order of a test' })
        : verify(token);
    this.broker = new Broker({
      note: (change) => {
        journal.note(change);
        this.turnSoon();
        if (change.kind === 'entity') this.attaching.changed(change.path);
      },
      available: (queue) => {
        this.hungry(queue);
      },
      gone: (queue) => {
        this.attaching.gone(queue);
        this.hungryQueues.delete(queue);
      },
      newToken: () => this.newToken(),
      newId: () => this.newToken().toString('hex'),
    });
  }

  now(): number {
    return this.settings.clock();
  }

  whenDurable(then: () => void): void {
    this.settings.journal.whenDurable(then);
  }

  stallWrites(ms: number): void {
    this.settings.journal.stall(ms);
  }

  attempt(attempt: Attempt): void {
    strike(this.faults.take(attempt.operation, attempt.target), attempt, this);
  }

  faultOf(operation: BusOperation, path: string): BusEffect | undefined {
    return this.faults.take(operation, path);
  }

  dropConnections(): number {
    const all = [...this.connections.keys()];
    for (const connection of all) connection.drop();
    return all.length;
  }

  /** The journal takes nothing more: clients are sent away rather than left waiting for confirmations. */
  breakDown(reason: string): void {
    this.isBroken = true;
    this.settings.log('error', 'The journal is broken: all connections are closed', { reason });
    const error = {
      condition: 'amqp:internal-error',
      description: 'The namespace cannot write down changes',
    };
    for (const connection of [...this.connections.keys()]) connection.giveUp(error);
  }

  /** Unique for ever: eight random bytes of this run and a count. Random bytes for each cost 6 % of the CPU. */
  private newToken(): Buffer {
    const token = Buffer.allocUnsafe(16);
    this.tokenPrefix.copy(token);
    token.writeUInt16BE(0, 8);
    token.writeUIntBE(++this.tokenCount, 10, 6);
    return token;
  }

  // The turn.
  private turnSoon(): void {
    if (this.turnIsDue) return;
    this.turnIsDue = true;
    setImmediate(() => {
      this.turn();
    });
  }

  turn(): void {
    this.turnIsDue = false;
    const now = this.now();
    this.guarded(() => {
      this.broker.advance(now);
    });
    for (const queue of this.hungryQueues) {
      this.hungryQueues.delete(queue);
      this.guarded(() => {
        this.attaching.serve(queue, now);
      });
    }
    this.settings.journal.write();
    for (const connection of this.touchedConnections) connection.flush();
    this.touchedConnections.clear();
    this.afterTurn();
  }

  /** A defect met with one queue must not stop the others, nor the process. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.defect('The broker failed', error);
    }
  }

  defect(message: string, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.settings.log('error', message, { reason });
  }

  hungry(queue: Queue): void {
    this.hungryQueues.add(queue);
    this.turnSoon();
  }

  // Connections and links.
  opened(connection: Connection): void {
    if (this.isBroken) {
      connection.drop();
      return;
    }
    this.connections.set(connection, {
      grants: new Grants(this.verify, this.settings.clock),
      replies: new Replies(),
      transactions: new Transactions(),
      links: new Map(),
    });
  }

  record(): void {
    this.settings.journal.write();
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
  }

  touched(connection: Connection): void {
    this.touchedConnections.add(connection);
    this.turnSoon();
  }

  complain(_connection: Connection, error: unknown): void {
    this.settings.log('warn', 'A connection was closed because of what it sent', {
      reason: error instanceof Error ? error.message : String(error),
    });
  }

  admits(connection: Connection, mechanism: string, response: Buffer): boolean {
    if (mechanism !== 'PLAIN') return true;
    const token = tokenFor(response, this.settings.sas ?? [], this.settings.allowAnySas);
    if (token === undefined || this.refusesTokens) return false;
    this.connections.get(connection)?.grants.trust(token);
    return true;
  }

  attached(link: Link): void {
    this.attaching.attached(link);
  }

  expireGrants(): void {
    this.attaching.expireGrants();
  }
}
