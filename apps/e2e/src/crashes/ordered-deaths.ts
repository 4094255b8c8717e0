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

  /** From now on. Answers the number of the order. Of two processes of a service, the one that gets there first obeys. */
  order(service: Service, dieAt: Order['dieAt'], how: Order['how'] = 'dies'): string {
    this.#orders += 1;
    const order: Order = { id: String(this.#orders), dieAt, how };
    writeFileSync(join(this.folder, `${service}.order.json`), JSON.stringify(order));
    return order.id;
  }

  /** The moments of each point that the service has passed under this order, in their order. */
  points(service: Service, id: string): readonly (readonly string[])[] {
    const file = join(this.folder, `${service}.${id}.points`);
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
    return lines.map((line) => line.split('\t'));
  }

  /** Where it died or was frozen; undefined as long as it lives. */
  diedAt(service: Service, id: string): string | undefined {
    return this.#end(service, id)?.[0];
  }

  /** Which process obeyed. */
  whoDied(service: Service, id: string): number | undefined {
    const pid = Number(this.#end(service, id)?.[1]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  }

  #end(service: Service, id: string): readonly string[] | undefined {
    const file = join(this.folder, `${service}.${id}.died`);
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n') : undefined;
  }

  /** Lets it live. */
  revoke(service: Service): void {
    rmSync(join(this.folder, `${service}.order.json`), { force: true });
  }
}
