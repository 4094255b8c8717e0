import { Controller, Inject } from '@nestjs/common';
import { RotationEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { DATABASE, type ConsoleDatabase } from './parts.js';
import { Pulse } from './read-model/pulse.js';
import { recordRotationEvent } from './read-model/record-rotation-event.js';

@Controller()
export class OnRotationEvent {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    private readonly pulse: Pulse,
  ) {}

  @OnMessage(RotationEvent)
  async handle(message: Message<RotationEvent>): Promise<void> {
    if (await recordRotationEvent(this.database, message)) this.pulse.beat();
  }
}
