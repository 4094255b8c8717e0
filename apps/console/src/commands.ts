import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  AccountId,
  RotationCommand,
  RotationId,
  accountName,
  writeMessage,
  type KeySlot,
  type RotationScope,
} from '@twinkey/contracts';
import { appendOutbox, type Database } from '@twinkey/journal';
import { HttpProblem } from '@twinkey/service';
import type { Selectable, Transaction } from 'kysely';
import type { Asked, CommandView } from './api/answers.js';
import { newestPosition } from './read-model/feed.js';
import type { CommandTable, ConsoleTables } from './read-model/tables.js';

type Db = Database<ConsoleTables>;
type Trx = Transaction<ConsoleTables>;

/** What a person asks for, before the console gave it an id. */
export interface Ask {
  readonly command: RotationCommand['command'];
  /** ARM id. */
  readonly account: string;
  /** Absent for `rotate`: a new one is minted. */
  readonly rotation?: string;
  readonly consumer?: string;
  /** Of `rotate`. */
  readonly scope?: RotationScope;
  readonly slot?: KeySlot | undefined;
  readonly by: string;
  readonly reason?: string | undefined;
  readonly idempotencyKey?: string | undefined;
}

export interface Commands {
  /** The answer that an earlier request with this key was given, if there was one. */
  answered(ask: Ask): Promise<Asked | undefined>;
  /** Audits the command and lets it leave, in one transaction. */
  send(ask: Ask): Promise<Asked>;
  /** Audits something that is no rotation command. */
  note(what: { command: string; by: string; details: object }): Promise<void>;
  list(wanted: { account?: string | undefined; limit: number }): Promise<CommandView[]>;
}

export function commandsOf(db: Db, clock: () => Date): Commands {
  const answered = async (ask: Ask): Promise<Asked | undefined> => {
    if (ask.idempotencyKey === undefined) return undefined;
    const row = await db.kysely
      .selectFrom('command')
      .selectAll()
      .where('idempotency_key', '=', ask.idempotencyKey)
      .executeTakeFirst();
    if (!row) return undefined;
    assertSameQuestion(row, ask);
    return answerOf(ask, RotationId.parse(row.rotation), afterOf(row));
  };

  return {
    answered,

    async send(ask) {
      const rotation = RotationId.parse(ask.rotation ?? mintRotationId(ask));
      const at = clock();
      const sent = await db.kysely.transaction().execute(async (trx) => {
        const after = await newestPosition({ kysely: trx });
        const id = randomUUID();
        if (!(await audit(trx, { id, ask, rotation, after, at }))) return undefined;
        if (ask.command === 'rotate') await noteAsked(trx, ask, rotation, at);
        await appendOutbox(trx, [outgoing(id, ask, rotation, at)]);
        return answerOf(ask, rotation, after);
      });
      const answer = sent ?? (await answered(ask));
      if (!answer) throw new Error('A command was neither audited now nor earlier.');
      return answer;
    },

    async note({ command, by, details }) {
      await db.kysely
        .insertInto('command')
        .values({
          command_id: randomUUID(),
          command,
          details: JSON.stringify(details),
          asked_by: by,
          asked_at: clock(),
        })
        .execute();
    },

    async list({ account, limit }) {
      const rows = await db.kysely
        .selectFrom('command')
        .selectAll()
        .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
        .orderBy('asked_at', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        id: row.command_id,
        command: row.command,
        account: row.account === null ? null : accountName(AccountId.parse(row.account)),
        rotation: row.rotation,
        consumer: row.consumer,
        by: row.asked_by,
        reason: row.reason,
        at: row.asked_at.toISOString(),
      }));
    },
  };
}

/** The same idempotency key asked for the same account gives the same rotation, also in a race. */
function mintRotationId({ idempotencyKey, account }: Ask): string {
  const digits =
    idempotencyKey === undefined
      ? randomBytes(6).toString('hex')
      : createHash('sha256')
          .update(JSON.stringify([account, idempotencyKey]))
          .digest('hex')
          .slice(0, 12);
  return `r-${digits}`;
}

async function audit(
  trx: Trx,
  { id, ask, rotation, after, at }: { id: string; ask: Ask; rotation: string; after: number; at: Date },
): Promise<boolean> {
  const result = await trx
    .insertInto('command')
    .values({
      command_id: id,
      command: ask.command,
      account: ask.account,
      rotation,
      consumer: ask.consumer ?? null,
      details: JSON.stringify({ after, ...scopeOf(ask) }),
      asked_by: ask.by,
      reason: ask.reason ?? null,
      asked_at: at,
      idempotency_key: ask.idempotencyKey ?? null,
    })
    .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
    .executeTakeFirst();
  return result.numInsertedOrUpdatedRows === 1n;
}

/** The rotation is known from now on, so that whoever asked can look at it before the rotator has answered. */
async function noteAsked(trx: Trx, ask: Ask, rotation: string, at: Date): Promise<void> {
  const asked = {
    asked_by: ask.by,
    asked_reason: ask.reason ?? null,
    asked_at: at,
    scope: ask.scope ?? 'both',
    slot: ask.slot ?? null,
  };
  await trx
    .insertInto('rotation')
    .values({
      rotation,
      account: ask.account,
      state: 'asked',
      ...asked,
      steps: '[]',
      waived: '[]',
      requested_at: at,
      last_event_at: at,
    })
    .onConflict((conflict) => conflict.column('rotation').doUpdateSet(asked))
    .execute();
}

function outgoing(id: string, ask: Ask, rotationId: RotationId, at: Date) {
  const account = AccountId.parse(ask.account);
  const subject = accountName(account);
  const body = writeMessage(RotationCommand, {
    id: `command-${id}`,
    source: 'twinkey/console',
    subject,
    time: at,
    data: RotationCommand.data.parse({
      command: ask.command,
      rotationId,
      account,
      by: ask.by,
      reason: ask.reason,
      consumer: ask.consumer,
      ...scopeOf(ask),
    }),
  });
  return { id: body.id, entity: RotationCommand.entity, subject, body, orderKey: account };
}

function answerOf({ account, command }: Ask, rotation: RotationId, after: number): Asked {
  return { rotation, account: accountName(AccountId.parse(account)), command, after };
}

function afterOf({ details }: Selectable<CommandTable>): number {
  return details !== null && 'after' in details && typeof details.after === 'number' ? details.after : 0;
}

/** What differs from the usual: nothing is said of a rotation of both keys. */
function scopeOf({ scope = 'both', slot }: Ask): { scope?: RotationScope; slot?: KeySlot } {
  return {
    ...(scope === 'both' ? {} : { scope }),
    ...(slot === undefined ? {} : { slot }),
  };
}

function scopeIn({ details }: Selectable<CommandTable>): unknown {
  return details !== null && 'scope' in details ? details.scope : 'both';
}

function assertSameQuestion(row: Selectable<CommandTable>, ask: Ask): void {
  const same =
    row.command === ask.command &&
    row.account === ask.account &&
    (ask.rotation === undefined || row.rotation === ask.rotation) &&
    row.consumer === (ask.consumer ?? null) &&
    (ask.command !== 'rotate' || scopeIn(row) === (ask.scope ?? 'both'));
  if (same) return;
  throw new HttpProblem(
    422,
    'idempotency-key-reused',
    'This Idempotency-Key was used for another request. Use a new key for a new request.',
  );
}
