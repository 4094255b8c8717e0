// Orders a service to die at one of its points (points.ts), and tells where it did.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Service } from '@twinkey/dev';
import type { Order } from './points.js';

const preload = new URL('../../dist/crashes/points.js', import.meta.url);

export class OrderedDeaths {
  #orders = 0;

  constructor(readonly folder: string) {
    mkdirSync(folder, { recursive: true });
  }

  /** What every service is started with. */
  get environment(): Readonly<Record<string, string>> {
    return { CRASH_POINTS: this.folder, NODE_OPTIONS: `--import=${fileURLToPath(preload)}` };
  }

  /** From now on. Answers the number of the order. */
  order(service: Service, dieAt: Order['dieAt']): string {
    this.#orders += 1;
    const order: Order = { id: String(this.#orders), dieAt };
    writeFileSync(join(this.folder, `${service}.order.json`), JSON.stringify(order));
    return order.id;
  }

  /** The points that the service has passed under this order, in their order. */
  points(service: Service, id: string): readonly string[] {
    const file = join(this.folder, `${service}.${id}.points`);
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  /** Where it died; undefined as long as it lives. */
  diedAt(service: Service, id: string): string | undefined {
    const file = join(this.folder, `${service}.${id}.died`);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  }

  /** Lets it live. */
  revoke(service: Service): void {
    rmSync(join(this.folder, `${service}.order.json`), { force: true });
  }
}
