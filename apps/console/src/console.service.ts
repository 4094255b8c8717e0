import { RegistryEvent, RotationEvent } from '@twinkey/contracts';
import type { ServiceDefinition } from '@twinkey/service';
import { ConsoleModule } from './console.module.js';
import { rotationsReading, servicesReading } from './read-model/readings.js';

export const consoleService: ServiceDefinition = {
  name: 'console',
  variables: [],
  migrations: [new URL('../migrations/', import.meta.url)],
  sources: () => [
    { source: { topic: RotationEvent.entity, subscription: 'console' } },
    { source: { topic: RegistryEvent.entity, subscription: 'console' } },
  ],
  readings: ({ database }) => [rotationsReading(database), servicesReading(database)],
  module: ({ database, bus, clock }) => ConsoleModule.of({ database, bus, clock }),
};
