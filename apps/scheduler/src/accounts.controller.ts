import { judge, nextDue, sentenceOf } from '@twinkey/account';
import { accountName } from '@twinkey/contracts';
import { Controller, Get, Inject } from '@nestjs/common';
import { Allow } from '@twinkey/service';
import { Care } from './care.js';
import { observe } from './observe.js';
import { listAccounts } from './sql/list-accounts.js';
import type { AccountRow } from './tables.js';

/** For people: what is under care, and what the scheduler makes of it. */
@Allow('read')
@Controller('v1/accounts')
export class AccountsController {
  constructor(@Inject(Care) private readonly care: Care) {}

  @Get()
  async list(): Promise<AccountsAnswer> {
    const now = this.care.clock().getTime();
    const rows = await listAccounts(this.care.database);
    return {
      accounts: rows.map((row) => show(row, now)),
      file: { path: this.care.path, trouble: this.care.fileTrouble },
      remarks: this.care.remarks,
    };
  }
}

interface AccountsAnswer {
  readonly accounts: readonly ShownAccount[];
  readonly file: { readonly path: string; readonly trouble: string | null };
  readonly remarks: readonly string[];
}

interface ShownAccount {
  readonly name: string;
  readonly account: string;
  readonly policy: string | null;
  /** The code of the verdict: `not-due`, `asked`, `rotating`, `halted`, `gone` … */
  readonly state: string;
  readonly reason: string;
  readonly nextDueAt: string | null;
  readonly lastCompletedAt: string | null;
  readonly rotationId: string | null;
}

function show(row: AccountRow, now: number): ShownAccount {
  const observed = observe(row);
  const { why } = judge(observed, now);
  const waits = observed.open === null && observed.presence === 'here';
  return {
    name: accountName(row.account),
    account: row.account,
    policy: row.settings?.policy.name ?? null,
    state: why,
    reason: [sentenceOf(why), row.trouble].filter((part) => part !== null).join(' '),
    nextDueAt: waits ? new Date(nextDue(observed).at).toISOString() : null,
    lastCompletedAt: row.last_completed_at?.toISOString() ?? null,
    rotationId: observed.open?.rotationId ?? null,
  };
}
