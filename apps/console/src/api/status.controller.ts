import { Controller, Get, Inject } from '@nestjs/common';
import { Allow } from '@twinkey/service';
import { DATABASE, CLOCK, type Clock, type ConsoleDatabase } from '../parts.js';
import { fleetStatus } from '../read-model/status.js';
import type { StatusView } from './answers.js';

@Allow('read')
@Controller('v1')
export class StatusController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('status')
  status(): Promise<StatusView> {
    return fleetStatus(this.database, this.clock());
  }
}
