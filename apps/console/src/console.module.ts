import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { openApiController } from '@twinkey/service';
import type { Bus } from '@twinkey/service-bus';
import { AccountsController } from './api/accounts.controller.js';
import { CommandsController } from './api/commands.controller.js';
import { ConsumersController } from './api/consumers.controller.js';
import { DeadLettersController } from './api/dead-letters.controller.js';
import { EventsController } from './api/events.controller.js';
import { KeylessController } from './api/keyless.controller.js';
import { MOST_STREAMS, OpenStreams } from './api/open-streams.js';
import { openApiDocument } from './api/openapi.js';
import { RotationsController } from './api/rotations.controller.js';
import { StatusController } from './api/status.controller.js';
import { commandsOf } from './commands.js';
import { OnRegistryEvent } from './on-registry-event.js';
import { OnRotationEvent } from './on-rotation-event.js';
import { BUS, CLOCK, COMMANDS, DATABASE, type Clock, type ConsoleDatabase } from './parts.js';
import { Pulse } from './read-model/pulse.js';

@Module({})
export class ConsoleModule implements OnModuleDestroy {
  constructor(@Inject(Pulse) private readonly pulse: Pulse) {}

  static of({ database, bus, clock }: { database: ConsoleDatabase; bus: Bus; clock: Clock }): DynamicModule {
    return {
      module: ConsoleModule,
      controllers: [
        StatusController,
        AccountsController,
        KeylessController,
        ConsumersController,
        RotationsController,
        EventsController,
        DeadLettersController,
        CommandsController,
        openApiController(openApiDocument),
        OnRotationEvent,
        OnRegistryEvent,
      ],
      providers: [
        Pulse,
        { provide: OpenStreams, useValue: new OpenStreams(MOST_STREAMS) },
        { provide: DATABASE, useValue: database },
        { provide: BUS, useValue: bus },
        { provide: CLOCK, useValue: clock },
        { provide: COMMANDS, useValue: commandsOf(database, clock) },
      ],
    };
  }

  /** Before the HTTP server closes, which would otherwise wait for the streams. */
  onModuleDestroy(): void {
    this.pulse.close();
  }
}
