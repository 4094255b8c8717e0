import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { AccountId, accountName } from '@twinkey/contracts';
import { Allow } from '@twinkey/service';
import type { z } from 'zod';
import { judgeKeyless, type JudgedConsumer } from '../keyless.js';
import { CLOCK, DATABASE, type Clock, type ConsoleDatabase } from '../parts.js';
import { useOfKeys } from '../read-model/use-of-keys.js';
import type { KeylessView } from './answers.js';
import { theAccount } from './look-up.js';
import { parse } from './parse.js';
import { AccountPath, KeylessQuery } from './questions.js';

/** Whether an account's keys may be switched off, and who still shows them. */
@Allow('read')
@Controller('v1/accounts')
export class KeylessController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get(':name/keyless')
  async judge(
    @Param(parse(AccountPath)) { name }: z.infer<typeof AccountPath>,
    @Query(parse(KeylessQuery)) { quietSeconds }: z.infer<typeof KeylessQuery>,
  ): Promise<KeylessView> {
    const account = await theAccount(this.database, name);
    const known = await useOfKeys(this.database, account);
    const { verdict, reasons, consumers } = judgeKeyless(known, {
      quietMs: quietSeconds * 1000,
      now: this.clock(),
    });
    return {
      account: accountName(AccountId.parse(account)),
      accountId: account,
      verdict,
      reasons: [...reasons],
      quietSeconds,
      toldAt: known.toldAt?.toISOString() ?? null,
      consumers: consumers.map(show),
    };
  }
}

function show({
  consumer,
  verdict,
  reasons,
  use,
  minimum,
}: JudgedConsumer): KeylessView['consumers'][number] {
  return {
    consumer,
    verdict,
    reasons: [...reasons],
    live: use?.live ?? 0,
    lapsed: use?.lapsed ?? 0,
    silent: use?.silent ?? 0,
    minimum,
    receiver: use?.receiver ?? false,
    used: use?.used ?? null,
    shownAt: use?.shownAt ?? null,
    quietSince: use?.quietSince ?? null,
    lastSeenAt: use?.lastSeenAt ?? null,
  };
}
