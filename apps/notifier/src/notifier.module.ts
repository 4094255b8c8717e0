import { Module, type DynamicModule } from '@nestjs/common';
import { OnKeyAcknowledged } from './bus/on-key-acknowledged.js';
import { OnRegistryEvent } from './bus/on-registry-event.js';
import { OnSwitchRequested } from './bus/on-switch-requested.js';
import { InstancesController } from './http/instances.controller.js';
import { SwitchesController } from './http/switches.controller.js';
import { Lookout } from './lookout.js';
import { SHELL, type Shell } from './shell.js';

@Module({})
export class NotifierModule {
  static with({ shell, lookout }: { shell: Shell; lookout: Lookout }): DynamicModule {
    return {
      module: NotifierModule,
      providers: [
        { provide: SHELL, useValue: shell },
        { provide: Lookout, useValue: lookout },
      ],
      controllers: [
        InstancesController,
        SwitchesController,
        OnSwitchRequested,
        OnKeyAcknowledged,
        OnRegistryEvent,
      ],
    };
  }
}
