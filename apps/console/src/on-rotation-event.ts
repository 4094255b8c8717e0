import { Controller, Inject } from '@nestjs/common';
import { RotationEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { DATABASE, type ConsoleDatabase } from './parts.js';
import { Pulse } from './read-model/pulse.js';
import { recordRotationEvent } from './read-model/record-rotation-event.js';
import { Turns } from './turns.js';

@Controller()
export class OnRotationEvent {
  // The bus delivers in order and handlers run side by side: without turns a stream would show steps swapped.
  private readonly turns = new Turns();

  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    private readonly pulse: Pulse,
  ) {}

  @OnMessage(RotationEvent)
  async handle(message: Message<RotationEvent>): Promise<void> {
    const isNew = await this.turns.take(message.data.account, () =>
      recordRotationEvent(this.database, message),
    );
    if (isNew) this.pulse.beat();
  }
}
