import { Controller, Inject } from '@nestjs/common';
import { RegistryEvent, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { declare } from '../declare.js';
import { SHELL, type Shell } from '../shell.js';

@Controller()
export class OnRegistryEvent {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @OnMessage(RegistryEvent)
  async handle(message: Message<RegistryEvent>): Promise<void> {
    await declare(this.shell, message);
  }
}
