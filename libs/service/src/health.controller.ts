import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Allow } from './access/access.guard.js';
import { ServiceHealth } from './health.js';

@Allow('nobody-asked')
@Controller('health')
export class HealthController {
  constructor(@Inject(ServiceHealth) private readonly health: ServiceHealth) {}

  /** Says only that the event loop turns: a restart helps against nothing else. */
  @Get('live')
  live(): { status: 'alive' } {
    return { status: 'alive' };
  }

  @Get('ready')
  async ready(@Res() reply: FastifyReply): Promise<void> {
    const readiness = await this.health.readiness();
    await reply.status(readiness.status === 'ready' ? 200 : 503).send(readiness);
  }
}
