import {
  FaultsOfTheBus,
  parseBusFault,
  type PlantedServiceBusFault,
  type ServiceBusFault,
} from './bus-faults.js';
import { counter, Faults, type Fault, type PlantedFault } from './faults.js';
import { httpServices, parseHttpFault, refuse } from './parse-fault.js';
import { isObject } from './plugin.js';

/** The faults of all services, in one list with one kind of id. */
export interface FaultControl {
  /** Answers the id by which to remove it. Throws `FaultInvalid` for a fault that could never strike. */
  add(fault: ServiceBusFault): string;
  // Apart, so that whoever asks for the type of a fault gets one whose effects belong together.
  // eslint-disable-next-line @typescript-eslint/unified-signatures
  add(fault: Fault): string;
  /** One fault, or all; how many there were. */
  remove(id?: string): number;
  /** Those that struck often enough are listed too. */
  list(): readonly (PlantedFault | PlantedServiceBusFault)[];
}

/** Checks what a caller without types may say as well as one with them. */
export class AllFaults implements FaultControl {
  readonly #newId = counter();
  /** Of the services that speak HTTP. */
  readonly http = new Faults(this.#newId);
  readonly bus = new FaultsOfTheBus(this.#newId);

  add(fault: Fault | ServiceBusFault): string {
    return this.plant(fault);
  }

  /** As {@link add}, for what came as JSON. */
  plant(value: unknown): string {
    if (!isObject(value))
      return refuse(
        'A JSON object was expected, such as { "service": "arm", "effect": { "kind": "outage" } }.',
      );
    const { service } = value;
    if (service === 'service-bus') return this.bus.add(parseBusFault(value));
    const known = httpServices.find((one) => one === service);
    if (known === undefined) return refuse(`service: one of ${httpServices.join(', ')}, service-bus.`);
    return this.http.add(parseHttpFault(known, value));
  }

  remove(id?: string): number {
    return this.http.remove(id) + this.bus.remove(id);
  }

  list(): readonly (PlantedFault | PlantedServiceBusFault)[] {
    return [...this.http.list(), ...this.bus.list()].sort((a, b) => Number(a.id) - Number(b.id));
  }
}
