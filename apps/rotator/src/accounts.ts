// The settings of the accounts under care, as the scheduler declared them last.
import { AccountId, AccountSettings } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import { sql } from 'kysely';

interface AccountRow {
  readonly settings: unknown;
  readonly withdrawn: boolean;
}

export interface KnownAccount {
  readonly settings: AccountSettings;
  readonly withdrawn: boolean;
}

export class Accounts {
  constructor(private readonly database: Database) {}

  async find(account: AccountId): Promise<KnownAccount | null> {
    const { rows } = await sql<AccountRow>`
      select settings, withdrawn from account where account = ${account}`.execute(this.database.kysely);
    const [row] = rows;
    return row === undefined
      ? null
      : { settings: AccountSettings.parse(row.settings), withdrawn: row.withdrawn };
  }

  /** The accounts whose key is published in this secret. */
  async withSecret({ vaultUrl, name }: { vaultUrl: string; name: string }): Promise<readonly AccountId[]> {
    const { rows } = await sql<{ account: string; vault: string }>`
      select account, settings->'secret'->>'vaultUrl' as vault from account
      where lower(settings->'secret'->>'name') = ${name.toLowerCase()} and not withdrawn`.execute(
      this.database.kysely,
    );
    return rows
      .filter(({ vault }) => new URL(vault).origin === vaultUrl)
      .map(({ account }) => AccountId.parse(account));
  }

  /** Keeps the newest declaration; an older one that arrives late changes nothing. */
  async declare(settings: AccountSettings, version: number): Promise<void> {
    await sql`
      insert into account (account, version, settings) values (${settings.account}, ${version}, ${JSON.stringify(settings)})
      on conflict (account) do update
        set version = excluded.version, settings = excluded.settings, withdrawn = false, declared_at = clock_timestamp()
        where account.version < excluded.version`.execute(this.database.kysely);
  }

  async withdraw(account: AccountId, version: number): Promise<void> {
    await sql`
      update account set withdrawn = true, version = ${version}
      where account = ${account} and version < ${version}`.execute(this.database.kysely);
  }
}
