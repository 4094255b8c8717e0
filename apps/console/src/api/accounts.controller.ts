import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { Allow, Asking, HttpProblem, type Caller } from '@twinkey/service';
import type { z } from 'zod';
import type { Commands } from '../commands.js';
import { CLOCK, COMMANDS, DATABASE, type Clock, type ConsoleDatabase } from '../parts.js';
import { listAccounts, showAccount } from '../read-model/accounts.js';
import type { AccountDetail, AccountView, Asked } from './answers.js';
import { askedBy } from './asked-by.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { theAccount } from './look-up.js';
import { parse } from './parse.js';
import { AccountPath, RotateBody } from './questions.js';

@Allow('read')
@Controller('v1/accounts')
export class AccountsController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(COMMANDS) private readonly commands: Commands,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  async list(): Promise<{ accounts: AccountView[] }> {
    return { accounts: await listAccounts(this.database, this.clock()) };
  }

  @Get(':name')
  async show(@Param(parse(AccountPath)) { name }: z.infer<typeof AccountPath>): Promise<AccountDetail> {
    return this.detailOf(name);
  }

  @Allow('operate')
  @Post(':name/rotations')
  @HttpCode(202)
  async rotate(
    @Param(parse(AccountPath)) { name }: z.infer<typeof AccountPath>,
    @Body(parse(RotateBody)) { by, reason, scope, slot }: z.infer<typeof RotateBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<Asked> {
    const account = await theAccount(this.database, name);
    const ask = {
      command: 'rotate',
      account,
      by: askedBy(caller, by),
      reason,
      scope,
      slot,
      idempotencyKey: idempotencyKeyOf(key),
    } as const;
    const earlier = await this.commands.answered(ask);
    if (earlier) return earlier;

    const { withdrawn, rotation, state } = await this.detailOf(account);
    if (withdrawn) {
      throw new HttpProblem(
        409,
        'account-withdrawn',
        `${name} is no longer under care: ${withdrawn.reason}.`,
      );
    }
    if (rotation !== null && scope !== 'emergency') {
      throw new HttpProblem(
        409,
        'rotation-open',
        `Rotation ${rotation} of ${name} is open (${state}); an account has one at a time.`,
      );
    }
    return this.commands.send(ask);
  }

  private async detailOf(name: string): Promise<AccountDetail> {
    const account = await theAccount(this.database, name);
    const detail = await showAccount(this.database, account, this.clock());
    if (!detail) throw new HttpProblem(404, 'account-unknown', `No account "${name}" is under care.`);
    return detail;
  }
}
