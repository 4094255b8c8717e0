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
import type { Transaction } from 'kysely';
import type { Asked, CommandView } from './api/answers.js';
import { alone, earlier, keyReused, questionOf, remembered, type Question } from './idempotency.js';
import { newestPosition } from './read-model/feed.js';
import type { ConsoleTables } from './read-model/tables.js';

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

/** Something that a person asks for besides rotations. */
export interface Deed {
  readonly command: string;
  readonly by: string;
  readonly details: object;
  readonly question: Question;
}

export interface Commands {
  /** The answer that an earlier request with this key was given, if there was one. */
  answered(ask: Ask): Promise<Asked | undefined>;
  /** Audits the command and lets it leave, in one transaction. */
  send(ask: Ask): Promise<Asked>;
  /**
   * Does something that is no rotation command, audited before it begins. Under an idempotency key it is done once and
   * its answer repeated; when a process died over it, the repetition does it: the work must stand that.
   */
  once<Answer extends object>(what: Deed, work: () => Promise<Answer>): Promise<Answer>;
  list(wanted: { account?: string | undefined; limit: number }): Promise<CommandView[]>;
}

export function commandsOf(db: Db, clock: () => Date): Commands {
  const answered = async (ask: Ask): Promise<Asked | undefined> =>
    (await earlier(db.kysely, questionIn(ask)))?.answer as Asked | undefined;

  /** Its id in the audit. */
  const note = async ({ command, by, details, question }: Deed): Promise<string> => {
    const id = randomUUID();
    const { numInsertedOrUpdatedRows: written = 0n } = await db.kysely
      .insertInto('command')
      .values({
        command_id: id,
        command,
        details: remembered(question, details),
        asked_by: by,
        asked_at: clock(),
        idempotency_key: question.key ?? null,
      })
      .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
      .executeTakeFirst();
    if (written === 0n) throw keyReused(); // a command took the key in this moment
    return id;
  };

  return {
    answered,

    async send(ask) {
      const rotation = RotationId.parse(ask.rotation ?? mintRotationId(ask));
      const at = clock();
      const sent = await db.kysely.transaction().execute(async (trx) => {
        const after = await newestPosition({ kysely: trx });
        const id = randomUUID();
        const answer = answerOf(ask, rotation, after);
        if (!(await audit(trx, { id, ask, rotation, answer, at }))) return undefined;
        if (ask.command === 'rotate') await noteAsked(trx, ask, rotation, at);
        await appendOutbox(trx, [outgoing(id, ask, rotation, at)]);
        return answer;
      });
      const answer = sent ?? (await answered(ask));
      if (!answer) throw new Error('A command was neither audited now nor earlier.');
      return answer;
    },

    once: <Answer extends object>(deed: Deed, work: () => Promise<Answer>) =>
      alone(db.kysely, deed.question, async () => {
        const { question, details } = deed;
        const before = await earlier(db.kysely, question);
        if (before?.answer !== undefined) return before.answer as Answer;
        const id = before?.id ?? (await note(deed));
        const answer = await work();
        if (question.key !== undefined) {
          await db.kysely
            .updateTable('command')
            .set({ details: remembered(question, details, answer) })
            .where('command_id', '=', id)
            .execute();
        }
        return answer;
      }),

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
  { id, ask, rotation, answer, at }: { id: string; ask: Ask; rotation: string; answer: Asked; at: Date },
): Promise<boolean> {
  const result = await trx
    .insertInto('command')
    .values({
      command_id: id,
      command: ask.command,
      account: ask.account,
      rotation,
      consumer: ask.consumer ?? null,
      details: remembered(questionIn(ask), scopeOf(ask), answer),
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

/** What differs from the usual: nothing is said of a rotation of both keys. */
function scopeOf({ scope = 'both', slot }: Ask): { scope?: RotationScope; slot?: KeySlot } {
  return {
    ...(scope === 'both' ? {} : { scope }),
    ...(slot === undefined ? {} : { slot }),
  };
}

/** All of what was asked for: what differs in any of it is another request. */
function questionIn({
  idempotencyKey,
  command,
  account,
  rotation,
  consumer,
  scope,
  slot,
  by,
  reason,
}: Ask): Question {
  return questionOf(idempotencyKey, command, account, rotation, consumer, scope ?? 'both', slot, by, reason);
}
