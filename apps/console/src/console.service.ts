import { RegistryEvent, RotationEvent } from '@twinkey/contracts';
import type { ServiceDefinition } from '@twinkey/service';
import { ConsoleModule } from './console.module.js';

export const consoleService: ServiceDefinition = {
  name: 'console',
  variables: [],
  migrations: [new URL('../migrations/', import.meta.url)],
  sources: () => [
    { source: { topic: RotationEvent.entity, subscription: 'console' } },
    { source: { topic: RegistryEvent.entity, subscription: 'console' } },
  ],
  module: ({ database, bus, clock }) => ConsoleModule.of({ database, bus, clock }),
};
