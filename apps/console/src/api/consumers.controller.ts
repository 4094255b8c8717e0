import { Body, Controller, Delete, Get, Headers, Inject, Param, Put, Query } from '@nestjs/common';
import { AccountId, type ConsumerDeclaration } from '@twinkey/contracts';
import { Allow, Asking, HttpProblem, type Caller } from '@twinkey/service';
import type { z } from 'zod';
import { declareOverApi, withdrawOverApi } from '../declarations.js';
import { earlier, questionOf } from '../idempotency.js';
import { CLOCK, DATABASE, type Clock, type ConsoleDatabase } from '../parts.js';
import { listConsumers } from '../read-model/consumers.js';
import type { ConsumerSummary } from './answers.js';
import { askedBy } from './asked-by.js';
import { idempotencyKeyOf } from './idempotency-key.js';
import { theAccount } from './look-up.js';
import { parse } from './parse.js';
import { ConsumerPath, DeclareBody, WithdrawQuery } from './questions.js';

/** Who uses keys, and what was declared of them. Declaring may leave a consumer behind, so it takes what waiving takes. */
@Allow('read')
@Controller('v1/consumers')
export class ConsumersController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  async list(): Promise<{ consumers: readonly ConsumerSummary[] }> {
    return { consumers: await listConsumers(this.database) };
  }

  @Get(':name')
  async show(@Param(parse(ConsumerPath)) { name }: z.infer<typeof ConsumerPath>): Promise<ConsumerSummary> {
    const [consumer] = await listConsumers(this.database, name);
    if (consumer === undefined) {
      throw new HttpProblem(
        404,
        'consumer-unknown',
        `No consumer "${name}" is declared, and none was seen on an account.`,
      );
    }
    return consumer;
  }

  @Allow('admin')
  @Put(':name')
  async declare(
    @Param(parse(ConsumerPath)) { name }: z.infer<typeof ConsumerPath>,
    @Body(parse(DeclareBody)) { by, reason, accounts: called, ...terms }: DeclareBody,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<ConsumerSummary> {
    const person = { by: askedBy(caller, by), reason: reason ?? null };
    const question = questionOf(idempotencyKeyOf(key), 'declare', name, person, called, terms);
    const before = await earlier(this.database.kysely, question);
    if (before !== null) return before.answer as ConsumerSummary;
    const accounts: AccountId[] = [];
    for (const one of called) accounts.push(AccountId.parse(await theAccount(this.database, one)));
    const { acknowledgeWithinSeconds, onOverdue, escalate, ...always } = terms;
    const declaration: ConsumerDeclaration = {
      consumer: name,
      accounts: [...new Set(accounts)],
      ...always,
      ...(acknowledgeWithinSeconds === undefined ? {} : { acknowledgeWithinSeconds }),
      ...(onOverdue === undefined ? {} : { onOverdue }),
      ...(escalate === undefined ? {} : { escalate }),
    };
    return declareOverApi(this.database, declaration, { ...person, at: this.clock(), question });
  }

  @Allow('admin')
  @Delete(':name')
  async withdraw(
    @Param(parse(ConsumerPath)) { name }: z.infer<typeof ConsumerPath>,
    @Query(parse(WithdrawQuery)) { by, reason }: z.infer<typeof WithdrawQuery>,
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<{ consumer: string }> {
    const person = { by: askedBy(caller, by), reason: reason ?? null };
    const question = questionOf(idempotencyKeyOf(key), 'withdraw', name, person);
    return withdrawOverApi(this.database, name, { ...person, at: this.clock(), question });
  }
}
