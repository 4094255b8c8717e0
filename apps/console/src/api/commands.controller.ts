import { Controller, Get, Inject, Query } from '@nestjs/common';
import { Allow } from '@twinkey/service';
import type { z } from 'zod';
import type { Commands } from '../commands.js';
import { COMMANDS, DATABASE, type ConsoleDatabase } from '../parts.js';
import type { CommandView } from './answers.js';
import { theAccount } from './look-up.js';
import { parse } from './parse.js';
import { CommandsQuery } from './questions.js';

@Allow('read')
@Controller('v1/commands')
export class CommandsController {
  constructor(
    @Inject(DATABASE) private readonly database: ConsoleDatabase,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  async list(
    @Query(parse(CommandsQuery)) { account, limit }: z.infer<typeof CommandsQuery>,
  ): Promise<{ commands: CommandView[] }> {
    const id = account === undefined ? undefined : await theAccount(this.database, account);
    return { commands: await this.commands.list({ account: id, limit }) };
  }
}
