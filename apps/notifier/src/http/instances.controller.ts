import { Body, Controller, Delete, HttpCode, Inject, Param, Post } from '@nestjs/common';
import {
  HeartbeatRequest,
  InstanceId,
  RegisterRequest,
  type HeartbeatAnswer,
  type RegisterAnswer,
} from '@twinkey/contracts';
import { Allow, Asking, type Caller } from '@twinkey/service';
import { z } from 'zod';
import { heartbeat } from '../heartbeat.js';
import { assertMayBe, assertOwn } from '../identity.js';
import { leave } from '../leave.js';
import { register } from '../register.js';
import { SHELL, type Shell } from '../shell.js';
import { parse } from './parse.js';

const Path = z.object({ instance: InstanceId });

/** For instances of consumers; each speaks for itself only. */
@Allow('consumer')
@Controller('v1/instances')
export class InstancesController {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @Post()
  async register(@Body() body: unknown, @Asking() caller: Caller): Promise<RegisterAnswer> {
    const request = parse(RegisterRequest, body);
    assertMayBe(caller, request.consumer);
    return register(this.shell, request, caller);
  }

  @Post(':instance/heartbeat')
  @HttpCode(200)
  async heartbeat(
    @Param() path: unknown,
    @Body() body: unknown,
    @Asking() caller: Caller,
  ): Promise<HeartbeatAnswer> {
    const { instance } = parse(Path, path);
    const request = parse(HeartbeatRequest, body);
    await assertOwn(this.shell, instance, caller);
    this.shell.metrics.count('twinkey_heartbeats_total', {});
    return heartbeat(this.shell, instance, request);
  }

  @Delete(':instance')
  @HttpCode(204)
  async leave(@Param() path: unknown, @Asking() caller: Caller): Promise<void> {
    const { instance } = parse(Path, path);
    await assertOwn(this.shell, instance, caller);
    await leave(this.shell, instance);
  }
}
