import { Module, type DynamicModule } from '@nestjs/common';
import { openApiController } from '@twinkey/service';
import { OnKeyAcknowledged } from './bus/on-key-acknowledged.js';
import { OnRegistryEvent } from './bus/on-registry-event.js';
import { OnSwitchRequested } from './bus/on-switch-requested.js';
import { ConsumersController } from './http/consumers.controller.js';
import { InstancesController } from './http/instances.controller.js';
import { SwitchesController } from './http/switches.controller.js';
import { openApiDocument } from './openapi/openapi.js';
import { Lookout } from './lookout.js';
import { SHELL, type Shell } from './shell.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';
import { Webhooks } from './webhooks/webhooks.js';

@Module({})
export class NotifierModule {
  static with({
    shell,
    lookout,
    webhooks,
  }: {
    shell: Shell;
    lookout: Lookout;
    webhooks: Webhooks;
  }): DynamicModule {
    return {
      module: NotifierModule,
      providers: [
        { provide: SHELL, useValue: shell },
        { provide: Lookout, useValue: lookout },
        { provide: Webhooks, useValue: webhooks },
      ],
      controllers: [
        ConsumersController,
        InstancesController,
        SwitchesController,
        WebhooksController,
        openApiController(openApiDocument),
        OnSwitchRequested,
        OnKeyAcknowledged,
        OnRegistryEvent,
      ],
    };
  }
}
