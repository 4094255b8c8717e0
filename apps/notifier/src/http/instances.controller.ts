import { Body, Controller, Delete, HttpCode, Inject, Param, Post } from '@nestjs/common';
import {
  HeartbeatRequest,
  InstanceId,
  RegisterRequest,
  type HeartbeatAnswer,
  type RegisterAnswer,
} from '@twinkey/contracts';
import { z } from 'zod';
import { heartbeat } from '../heartbeat.js';
import { leave } from '../leave.js';
import { register } from '../register.js';
import { SHELL, type Shell } from '../shell.js';
import { parse } from './parse.js';

const Path = z.object({ instance: InstanceId });

/** For instances of consumers. */
@Controller('v1/instances')
export class InstancesController {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @Post()
  register(@Body() body: unknown): Promise<RegisterAnswer> {
    return register(this.shell, parse(RegisterRequest, body));
  }

  @Post(':instance/heartbeat')
  @HttpCode(200)
  heartbeat(@Param() path: unknown, @Body() body: unknown): Promise<HeartbeatAnswer> {
    return heartbeat(this.shell, parse(Path, path).instance, parse(HeartbeatRequest, body));
  }

  @Delete(':instance')
  @HttpCode(204)
  leave(@Param() path: unknown): Promise<void> {
    return leave(this.shell, parse(Path, path).instance);
  }
}
