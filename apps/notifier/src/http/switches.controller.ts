import { Controller, Get, Inject, Param } from '@nestjs/common';
import { Allow } from '@twinkey/service';
import { showConsumers, showSwitch, type ShownConsumer, type ShownSwitch } from '../show.js';
import { SHELL, type Shell } from '../shell.js';

/** For people: who has moved, who is late, who is silent. */
@Allow('read')
@Controller('v1')
export class SwitchesController {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @Get('accounts/:name/switch')
  async switch(@Param('name') name: string): Promise<ShownSwitch> {
    return showSwitch(this.shell, name);
  }

  @Get('consumers')
  async consumers(): Promise<{ consumers: readonly ShownConsumer[] }> {
    return { consumers: await showConsumers(this.shell) };
  }
}
