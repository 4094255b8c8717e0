import { counter, Faults, type Fault, type PlantedFault } from './faults.js';
import { httpServices, parseHttpFault, refuse } from './parse-fault.js';
import { isObject, type ServiceName } from './plugin.js';

/** The faults of all services, in one list with one kind of id. */
export interface FaultControl {
  /** Answers the id by which to remove it. Throws `FaultInvalid` for a fault that could never strike. */
  add(fault: Fault): string;
  /** One fault, or all; how many there were. */
  remove(id?: string): number;
  /** Those that struck often enough are listed too. */
  list(): readonly PlantedFault[];
}

/** Checks what a caller without types may say as well as one with them. */
export class AllFaults implements FaultControl {
  /** Of the services that speak HTTP. */
  readonly http = new Faults(counter());

  add(fault: Fault): string {
    return this.plant(fault);
  }

  /** As {@link add}, for what came as JSON. */
  plant(value: unknown): string {
    if (!isObject(value))
      refuse('A JSON object was expected, such as { "service": "arm", "effect": { "kind": "outage" } }.');
    const service = httpServices.find((one) => one === value['service']);
    if (service === undefined) refuse(`service: one of ${httpServices.join(', ')}.`);
    return this.http.add(parseHttpFault(service satisfies ServiceName, value));
  }

  remove(id?: string): number {
    return this.http.remove(id);
  }

  list(): readonly PlantedFault[] {
    return this.http.list();
  }
}
