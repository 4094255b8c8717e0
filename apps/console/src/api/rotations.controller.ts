import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { Allow, Asking, type Caller } from '@twinkey/service';
import type { z } from 'zod';
import type { Ask, Commands } from '../commands.js';
import { CLOCK, COMMANDS, DATABASE, type Clock, type ConsoleDatabase } from '../parts.js';
import { showAccount } from '../read-model/accounts.js';
import { timelineOf } from '../read-model/feed.js';
import { listRotations } from '../read-model/rotations.js';
import { useOfKeys } from '../read-model/use-of-keys.js';
import type { Asked, ExplanationView, RotationDetail, RotationView } from './answers.js';
import { askedBy } from './asked-by.js';
import { assertCanHalt, assertCanReplay, assertCanWaive } from './conflicts.js';
import { explainRotation } from './explain-rotation.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { theAccount, theRotation } from './look-up.js';
import { parse } from './parse.js';
import { HaltBody, ReplayBody, RotationPath, RotationsQuery, WaiveBody } from './questions.js';

@Allow('read')
@Controller('v1/rotations')
export class RotationsController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(COMMANDS) private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  async list(
    @Query(parse(RotationsQuery)) { state, account, limit }: RotationsQuery,
  ): Promise<{ rotations: RotationView[] }> {
    const id = account === undefined ? undefined : await theAccount(this.database, account);
    return { rotations: await listRotations(this.database, { state, account: id, limit }) };
  }

  @Get(':id')
  async show(@Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>): Promise<RotationDetail> {
    const rotation = await theRotation(this.database, id);
    return { ...rotation, events: await timelineOf(this.database, rotation.id) };
  }

  @Get(':id/explanation')
  async explain(@Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>): Promise<ExplanationView> {
    const rotation = await theRotation(this.database, id);
    const account = await showAccount(this.database, rotation.accountId, this.clock());
    const { told } = await useOfKeys(this.database, rotation.accountId);
    return explainRotation(rotation, account, told);
  }

  @Allow('operate')
  @Post(':id/replay')
  @HttpCode(202)
  async replay(
    @Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>,
    @Body(parse(ReplayBody)) { by, reason }: z.infer<typeof ReplayBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const rotation = await theRotation(this.database, id);
    return this.ask(rotation, { command: 'replay', by: askedBy(caller, by), reason }, key, () => {
      assertCanReplay(rotation);
    });
  }

  @Allow('operate')
  @Post(':id/halt')
  @HttpCode(202)
  async halt(
    @Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>,
    @Body(parse(HaltBody)) { by, reason }: z.infer<typeof HaltBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const rotation = await theRotation(this.database, id);
    return this.ask(rotation, { command: 'halt', by: askedBy(caller, by), reason }, key, () => {
      assertCanHalt(rotation);
    });
  }

  @Allow('admin')
  @Post(':id/waive')
  @HttpCode(202)
  async waive(
    @Param(parse(RotationPath)) { id }: z.infer<typeof RotationPath>,
    @Body(parse(WaiveBody)) { by, reason, consumer }: z.infer<typeof WaiveBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const rotation = await theRotation(this.database, id);
    const account = await showAccount(this.database, rotation.accountId, this.clock());
    return this.ask(rotation, { command: 'waive', by: askedBy(caller, by), reason, consumer }, key, () => {
      assertCanWaive(rotation, consumer, account?.consumers ?? []);
    });
  }

  private async ask(
    rotation: RotationView,
    asked: Pick<Ask, 'command' | 'by' | 'reason' | 'consumer'>,
    key: string | undefined,
    assertPossible: () => void,
  ): Promise<Asked> {
    const ask = {
      ...asked,
      account: rotation.accountId,
      rotation: rotation.id,
      idempotencyKey: idempotencyKeyOf(key),
    };
    const earlier = await this.commands.answered(ask);
    if (earlier) return earlier;
    assertPossible();
    return this.commands.send(ask);
  }
}
