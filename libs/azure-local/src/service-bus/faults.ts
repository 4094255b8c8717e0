import type { Refused } from './errors.js';
import { normal, type Broker } from './state/broker.js';
import { serverBusy } from './errors.js';
import type { Connection } from './amqp/connection.js';

interface Ordered {
  readonly kind: 'delay' | 'fail' | 'lose-answer';
  readonly ms: number;
  readonly error: Refused | undefined;
  left: number;
}

export interface FaultsHost {
  readonly broker: Broker;
  readonly connections: ReadonlyMap<Connection, unknown>;
  now(): number;
}

/** Trouble on order, for tests. Orders for an entity apply to sends, settlements and management requests there. */
export class Faults {
  private readonly ordered = new Map<string, Ordered[]>();
  refusesConnections = false;
  refusesTokens = false;

  constructor(private readonly host: FaultsHost) {}

  order(entity: string, order: Omit<Ordered, 'left'>, count: number): void {
    const path = normal(entity);
    const orders = this.ordered.get(path) ?? [];
    orders.push({ ...order, left: count });
    this.ordered.set(path, orders);
  }

  clear(): void {
    this.ordered.clear();
    this.refusesConnections = false;
    this.refusesTokens = false;
  }

  disturb(path: string, go: () => void, fail: (error: Refused) => void): void {
    if (this.ordered.size === 0) {
      go();
      return;
    }
    const orders = this.ordered.get(normal(path));
    const [order] = orders ?? [];
    if (order === undefined) {
      go();
      return;
    }
    if (--order.left <= 0) orders?.shift();
    switch (order.kind) {
      case 'delay':
        setTimeout(go, order.ms).unref();
        return;
      case 'fail':
        fail(order.error ?? serverBusy());
        return;
      case 'lose-answer':
        go();
        // After the effect, before anything is written to a socket.
        this.dropConnections();
        return;
    }
  }

  dropConnections(): number {
    const all = [...this.host.connections.keys()];
    for (const connection of all) connection.drop();
    return all.length;
  }
}
