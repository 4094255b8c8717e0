import { RegistryEvent, RotationEvent } from '@twinkey/contracts';
import type { ServiceDefinition } from '@twinkey/service';
import { ConsoleModule } from './console.module.js';
import type { ConsoleDatabase } from './parts.js';

export const consoleService: ServiceDefinition = {
  name: 'console',
  variables: [],
  migrations: [new URL('../migrations/', import.meta.url)],
  sources: () => [
    { source: { topic: RotationEvent.entity, subscription: 'console' } },
    { source: { topic: RegistryEvent.entity, subscription: 'console' } },
  ],
  // The schema `console` holds the tables of migrations/, which the host has just run.
  module: ({ database, bus, clock }) =>
    ConsoleModule.of({ database: database as ConsoleDatabase, bus, clock }),
};
