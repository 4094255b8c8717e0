// Replicas of the services in two versions, replaced as Kubernetes replaces them: a new one is ready before an old one is told
// to end, and nobody new is sent to one that ends.
import type { Child, Service } from '@twinkey/dev';
import type { Fleet } from '../fleet.js';
import { Entrance } from './entrance.js';

export type Version = 'old' | 'next';

interface Replica {
  readonly service: Service;
  readonly version: Version;
  readonly port: number;
  readonly child: Child;
}

export interface Versions {
  /** Where each of them was built. */
  readonly old: string;
  readonly next: string;
}

export class Deployment {
  #replicas: readonly Replica[] = [];
  #started = 0;
  readonly #entrances = new Map<Service, Entrance>();

  constructor(
    private readonly fleet: Fleet,
    private readonly versions: Versions,
  ) {}

  /** The one process of a service becomes two of the same version, behind its address. */
  async spread(service: Service): Promise<void> {
    const { stack } = this.fleet;
    const ports = [await this.#begin(service, 'old'), await this.#begin(service, 'old')];
    await stack.service(service).stop();
    const entrance = await Entrance.listen(stack.ports[service]);
    entrance.leadTo(ports);
    this.#entrances.set(service, entrance);
  }

  /** One replica of the service is replaced: for this long there is one more. */
  async replaceOne(service: Service, version: Version): Promise<void> {
    const outgoing = this.#of(service).find((replica) => replica.version !== version);
    if (outgoing === undefined) throw new Error(`every ${service} is ${version} already`);
    await this.#begin(service, version);
    this.fleet.recorder.note(`a ${service} becomes ${version}`);
    this.#replicas = this.#replicas.filter((replica) => replica !== outgoing);
    this.#lead(service);
    await outgoing.child.stop();
  }

  /** Which versions of the service run. */
  running(service: Service): readonly Version[] {
    return this.#of(service).map(({ version }) => version);
  }

  close(): void {
    for (const entrance of this.#entrances.values()) entrance.close();
  }

  async #begin(service: Service, version: Version): Promise<number> {
    this.#started += 1;
    const as = `${service}-${version}-${this.#started}`;
    const { child, port } = await this.fleet.stack.startReplica(service, as, this.versions[version]);
    this.#replicas = [...this.#replicas, { service, version, port, child }];
    this.#lead(service);
    return port;
  }

  #of(service: Service): readonly Replica[] {
    return this.#replicas.filter((replica) => replica.service === service);
  }

  #lead(service: Service): void {
    this.#entrances.get(service)?.leadTo(this.#of(service).map(({ port }) => port));
  }
}
