import { Controller, Inject } from '@nestjs/common';
import { SwitchRequested, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { requestSwitch } from '../request-switch.js';
import { SHELL, type Shell } from '../shell.js';

@Controller()
export class OnSwitchRequested {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @OnMessage(SwitchRequested)
  async handle(message: Message<SwitchRequested>): Promise<void> {
    await requestSwitch(this.shell, message);
  }
}
