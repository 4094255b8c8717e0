import type { ServiceDefinition } from './service.js';
import type { VariableName } from './variables.js';

/** Runs a service until SIGTERM or SIGINT; the whole of a service's `main.ts`. */
export function runService<Names extends VariableName>(definition: ServiceDefinition<Names>): Promise<void> {
  return Promise.reject(new Error(`${definition.name} cannot run yet`));
}
