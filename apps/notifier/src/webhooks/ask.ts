// What a person may ask of an endpoint: a test, and an earlier message once more.
import type { ConsumerName } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import { appendJournal } from '@twinkey/journal';
import type { Shell } from '../shell.js';
import type { Trx } from '../tables.js';
import { databaseTime } from '../sql/load-instances.js';
import { addDelivery, hearAgain, keepEndpoints, lockEvent, requeue } from './sql/line-up.js';
import { theEndpoint } from './show.js';
import { testEvent, testEventId } from './test-event.js';

/** For how long a message that somebody sends once more is tried at least. */
const RESENT_FOR_MS = 60 * 60 * 1000;

/** What was put into the line. */
export interface Asked {
  readonly delivery: number;
}

/** Puts a test into the line, before everything else there. It is tried once; under an idempotency key, once for all. */
export async function askForTest(
  { db }: Shell,
  consumer: ConsumerName,
  by: string,
  key?: string,
): Promise<Asked> {
  const endpoint = await theEndpoint(db, consumer);
  const id = testEventId(key);
  const delivery = await db.transaction().execute(async (trx) => {
    const earlier = key === undefined ? null : await askedBefore(trx, id, consumer);
    if (earlier !== null) return earlier;
    await keepEndpoints(trx);
    await hearAgain(trx, consumer);
    const now = await databaseTime(trx);
    const { event, body } = testEvent(endpoint.consumer, id, new Date(now));
    const terms = { deadlineAt: now, untilAt: now };
    const added = await addDelivery(trx, {
      consumer: endpoint.consumer,
      event,
      kind: 'test',
      body,
      about: null,
      ...terms,
      askedBy: by,
    });
    const data = { consumer, event, by };
    await appendJournal(trx, consumer, [{ type: 'webhook-test-asked', data, at: new Date(now) }]);
    return added;
  });
  if (delivery === null) throw new Error('Each test is an event of its own.');
  return { delivery };
}

async function askedBefore(trx: Trx, event: string, consumer: ConsumerName): Promise<number | null> {
  const known = await lockEvent(trx, event);
  if (known === undefined) return null;
  if (known.consumer === consumer) return known.delivery;
  throw new HttpProblem(
    422,
    'idempotency-key-reused',
    `This Idempotency-Key was used for a test of "${known.consumer}". Use a new key for a new request.`,
  );
}

/** Puts a message back into the line, under its own id: a receiver that had it knows it. */
export async function askForResend(
  { db }: Shell,
  consumer: ConsumerName,
  delivery: number,
  by: string,
): Promise<Asked> {
  const endpoint = await theEndpoint(db, consumer);
  const found = await db.transaction().execute(async (trx) => {
    const forMs = RESENT_FOR_MS;
    if (!(await requeue(trx, { consumer: endpoint.consumer, delivery, by, forMs }))) return false;
    const data = { consumer, delivery, by };
    const at = new Date(await databaseTime(trx));
    await appendJournal(trx, consumer, [{ type: 'webhook-resend-asked', data, at }]);
    return true;
  });
  if (found) return { delivery };
  throw new HttpProblem(
    404,
    'delivery-unknown',
    `There is no delivery ${delivery} to "${consumer}" (any more). See: twinkey webhooks log ${consumer}`,
  );
}
