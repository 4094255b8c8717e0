// Declares consumers over the API: written down here, audited, and said to the notifier, in one transaction.
import { randomUUID } from 'node:crypto';
import {
  aboutConsumer,
  type ConsumerDeclaration,
  type ConsumerName,
  type RegistryEvent,
} from '@twinkey/contracts';
import { appendOutbox, type Database, type OutboxMessage } from '@twinkey/journal';
import { HttpProblem } from '@twinkey/service';
import { sql } from 'kysely';
import type { ConsumerSummary } from './api/answers.js';
import { earlier, keyReused, remembered, type Question } from './idempotency.js';
import { listConsumers } from './read-model/consumers.js';
import { declarationRows, noteDeclaration, type DatedSaying, type Trx } from './read-model/declarations.js';
import type { ConsoleTables } from './read-model/tables.js';

type Db = Database<ConsoleTables>;

const repeatAfterMs = 180_000;
const repeatAtOnce = 20;
/** By then a notifier that was restored from a backup has long heard of it. */
const withdrawalRepeatedForMs = 30 * 24 * 3_600_000;

interface Person {
  readonly by: string;
  readonly reason: string | null;
  readonly at: Date;
  /** What was asked; asked again under its key, it is answered as before and nothing is said. */
  readonly question: Question;
}

/** Says it of a consumer that the file does not declare. */
export async function declareOverApi(
  db: Db,
  declaration: ConsumerDeclaration,
  person: Person,
): Promise<ConsumerSummary> {
  const { consumer } = declaration;
  return say(db, consumer, declaration, person, async (trx) => {
    const [declared] = await listConsumers({ kysely: trx }, consumer);
    if (declared === undefined) throw new Error('What was declared is declared.');
    return declared;
  });
}

/** Takes back what was said over the API. */
export async function withdrawOverApi(
  db: Db,
  consumer: ConsumerName,
  person: Person,
): Promise<{ consumer: string }> {
  return say(db, consumer, null, person, () => Promise.resolve({ consumer }));
}

async function say<Answer>(
  db: Db,
  consumer: ConsumerName,
  declaration: ConsumerDeclaration | null,
  { by, reason, at, question }: Person,
  answerIn: (trx: Trx) => Promise<Answer>,
): Promise<Answer> {
  return db.kysely.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${`declaration ${consumer}`}, 0))`.execute(trx);
    const asked = await earlier(trx, question);
    if (asked !== null) return asked.answer as Answer;
    const said = await declarationRows(trx, consumer);
    assertNotInFile(consumer, said);
    const before = said.find(({ source }) => source === 'api');
    if (declaration === null && before?.declaration == null) {
      throw new HttpProblem(404, 'consumer-unknown', `Nobody has declared a consumer "${consumer}".`);
    }
    if (declaration !== null) await assertSubscriptionIsFree(trx, declaration);
    const version = Math.max(at.getTime(), (before?.version ?? 0) + 1);
    const now: DatedSaying = {
      consumer,
      source: 'api',
      version,
      declaration,
      problems: [],
      by,
      reason,
      at,
    };
    await noteDeclaration(trx, now);
    const answer = await answerIn(trx);
    const { numInsertedOrUpdatedRows: audited = 0n } = await trx
      .insertInto('command')
      .values({
        command_id: randomUUID(),
        command: declaration === null ? 'withdraw-consumer' : 'declare-consumer',
        consumer,
        details: remembered(question, { declaration }, answer),
        asked_by: by,
        reason,
        asked_at: at,
        idempotency_key: question.key ?? null,
      })
      .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
      .executeTakeFirst();
    if (audited === 0n) throw keyReused(); // for another consumer, in this moment
    await appendOutbox(trx, [messageFor(now)]);
    return answer;
  });
}

/** Says again what the API said some time ago, to a notifier that may have lost it. */
export async function repeatDeclarations(trx: Trx, at: Date): Promise<void> {
  const { rows } = await sql<{ consumer: ConsumerName }>`
    with due as materialized (
      select consumer from declaration
      where source = 'api' and repeated_at < ${new Date(at.getTime() - repeatAfterMs)}
        and (declaration is not null or said_at > ${new Date(at.getTime() - withdrawalRepeatedForMs)})
      order by repeated_at limit ${repeatAtOnce} for update skip locked
    )
    update declaration d
    set repeated_at = ${at}, version = greatest(d.version + 1, ${at.getTime()}::bigint)
    from due where d.consumer = due.consumer and d.source = 'api'
    returning d.consumer`.execute(trx);
  for (const { consumer } of rows) {
    const said = (await declarationRows(trx, consumer)).find(({ source }) => source === 'api');
    if (said !== undefined) await appendOutbox(trx, [messageFor({ ...said, at })]);
  }
}

function assertNotInFile(consumer: ConsumerName, said: readonly DatedSaying[]): void {
  const isInFile = said.some(({ source, declaration }) => source === 'file' && declaration !== null);
  if (!isInFile) return;
  throw new HttpProblem(
    409,
    'declared-in-file',
    `"${consumer}" is declared in twinkey.yaml, which counts before the API. Change it there: consumers.${consumer}.`,
  );
}

/** Two consumers on one subscription would take each other's messages away. */
async function assertSubscriptionIsFree(trx: Trx, { consumer, channel }: ConsumerDeclaration): Promise<void> {
  if (channel.kind !== 'subscription') return;
  const { name } = channel;
  const others = (await declarationRows(trx)).filter(
    (other) =>
      other.consumer !== consumer &&
      other.declaration?.channel.kind === 'subscription' &&
      other.declaration.channel.name.toLowerCase() === name.toLowerCase(),
  );
  const [other] = others;
  if (other === undefined) return;
  throw new HttpProblem(
    409,
    'subscription-taken',
    `The subscription "${name}" is the one of "${other.consumer}". Give each consumer a subscription of its own.`,
  );
}

function messageFor({ consumer, source, version, declaration, by, reason, at }: DatedSaying): OutboxMessage {
  const who = by === null ? {} : { by };
  const what: RegistryEvent['what'] =
    declaration === null
      ? { event: 'consumer-withdrawn', source, consumer, reason: reason ?? 'withdrawn over the API', ...who }
      : { event: 'consumer-declared', source, declaration, ...who };
  const id = `${what.event}-api-${consumer}-${version}`;
  return aboutConsumer(consumer, { id, from: 'console', at, version, what });
}
