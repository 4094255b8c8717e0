// Which life of the database is this? Restoring a backup, or failing over to a replica that lagged behind, loses what
// was committed last: calls to Azure may have been made that no ring remembers.
import type { Database } from '@twinkey/journal';
import type { Log } from '@twinkey/service';
import { sql } from 'kysely';

interface Identity {
  readonly system: string;
  readonly timeline: string;
}

export class Incarnations {
  #current: number | undefined;
  #complained = false;

  constructor(
    private readonly database: Database,
    private readonly log: Log,
    private readonly identify: () => Promise<Identity> = () => identityOf(database),
  ) {}

  /** The number of this life, as it was found last; asks when nobody asked yet. */
  async current(): Promise<number> {
    return this.#current ?? this.look();
  }

  /** 0 before the first look; for rings that begin now. */
  get known(): number {
    return this.#current ?? 0;
  }

  /** Looks whether a new life has begun, and notes it. Called now and then: a fail-over needs no restart. */
  async look(): Promise<number> {
    const newest = await this.#newest();
    const now = await this.#identity();
    if (now === null) return (this.#current = newest?.number ?? 0);
    if (newest?.system === now.system && newest.timeline === now.timeline)
      return (this.#current = newest.number);
    const number = newest === undefined ? 0 : newest.number + 1;
    await sql`
      insert into incarnation (number, system, timeline) values (${number}, ${now.system}, ${now.timeline})
      on conflict do nothing`.execute(this.database.kysely);
    if (number > 0)
      this.log.warn(
        { incarnation: number, timeline: now.timeline },
        'This database is a restored one, or a replica took over: every account is looked at anew',
      );
    return (this.#current = (await this.#newest())?.number ?? number);
  }

  async #newest(): Promise<(Identity & { readonly number: number }) | undefined> {
    const { rows } = await sql<Identity & { number: number }>`
      select number, system, timeline from incarnation order by number desc limit 1`.execute(
      this.database.kysely,
    );
    return rows[0];
  }

  /** Some hosted databases keep this to themselves; then the vault alone tells of a restore. */
  async #identity(): Promise<Identity | null> {
    try {
      return await this.identify();
    } catch (error) {
      if (!this.#complained)
        this.log.warn(
          { err: error },
          'PostgreSQL does not say which life it is; a restore is noticed by what the vault shows only',
        );
      this.#complained = true;
      return null;
    }
  }
}

async function identityOf({ kysely }: Database): Promise<Identity> {
  const { rows } = await sql<Identity>`
    select (select system_identifier::text from pg_control_system()) as system,
           substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline`.execute(kysely);
  const [identity] = rows;
  if (identity === undefined) throw new Error('the database has no identity');
  return identity;
}
