import { Controller, Inject } from '@nestjs/common';
import { KeyAcknowledged, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { acknowledge } from '../acknowledge.js';
import { SHELL, type Shell } from '../shell.js';

@Controller()
export class OnKeyAcknowledged {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @OnMessage(KeyAcknowledged)
  async handle(message: Message<KeyAcknowledged>): Promise<void> {
    await acknowledge(this.shell, message);
  }
}
