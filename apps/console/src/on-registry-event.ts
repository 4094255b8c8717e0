import { Controller, Inject } from '@nestjs/common';
import { RegistryEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { DATABASE, type ConsoleDatabase } from './parts.js';
import { recordRegistryEvent } from './read-model/record-registry-event.js';

@Controller()
export class OnRegistryEvent {
  constructor(@Inject(DATABASE) private readonly database: ConsoleDatabase) {}

  @OnMessage(RegistryEvent)
  async handle(message: Message<RegistryEvent>): Promise<void> {
    await recordRegistryEvent(this.database, message);
  }
}
