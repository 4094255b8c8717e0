// What a person may ask of an endpoint: a test, and an earlier message once more.
import type { ConsumerName } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import { appendJournal } from '@twinkey/journal';
import type { Shell } from '../shell.js';
import type { Trx } from '../tables.js';
import { databaseTime } from '../sql/load-instances.js';
import { askedUnder } from './sql/asked-under.js';
import { addDelivery, hearAgain, keepEndpoints, requeue } from './sql/line-up.js';
import { theEndpoint } from './show.js';
import { testEvent } from './test-event.js';

/** For how long a message that somebody sends once more is tried at least. */
const RESENT_FOR_MS = 60 * 60 * 1000;

/** What was put into the line. */
export interface Asked {
  readonly delivery: number;
}

/** Who asks, and under which idempotency key, if under one. */
export interface Asker {
  readonly by: string;
  readonly key?: string | undefined;
}

/** Puts a test into the line, before everything else there. It is tried once. */
export async function askForTest({ db }: Shell, consumer: ConsumerName, asker: Asker): Promise<Asked> {
  const endpoint = await theEndpoint(db, consumer);
  return db.transaction().execute((trx) =>
    once(trx, endpoint.consumer, { ...asker, what: 'test' }, async (at) => {
      await keepEndpoints(trx);
      await hearAgain(trx, consumer);
      const { event, body } = testEvent(endpoint.consumer, at);
      const delivery = await addDelivery(trx, {
        consumer: endpoint.consumer,
        event,
        kind: 'test',
        body,
        about: null,
        deadlineAt: at.getTime(),
        untilAt: at.getTime(),
        askedBy: asker.by,
      });
      if (delivery === null) throw new Error('Each test is an event of its own.');
      return { type: 'webhook-test-asked', delivery, data: { consumer, event } };
    }),
  );
}

/** Puts a message back into the line, under its own id: a receiver that had it knows it. */
export async function askForResend(
  { db }: Shell,
  consumer: ConsumerName,
  delivery: number,
  asker: Asker,
): Promise<Asked> {
  const endpoint = await theEndpoint(db, consumer);
  return db.transaction().execute((trx) =>
    once(trx, endpoint.consumer, { ...asker, what: `resend ${delivery}` }, async () => {
      const again = { consumer: endpoint.consumer, delivery, by: asker.by, forMs: RESENT_FOR_MS };
      if (!(await requeue(trx, again))) throw unknownDelivery(consumer, delivery);
      return { type: 'webhook-resend-asked', delivery, data: { consumer } };
    }),
  );
}

interface Done extends Asked {
  /** Of the entry in the journal. */
  readonly type: string;
  readonly data: object;
}

/** Does it and writes it down; what was done under the same key before is only answered. */
async function once(
  trx: Trx,
  consumer: ConsumerName,
  { by, key, what }: Asker & { readonly what: string },
  work: (at: Date) => Promise<Done>,
): Promise<Asked> {
  const asked = `${what} by ${by}`;
  const before = key === undefined ? undefined : await askedUnder(trx, consumer, key);
  if (before !== undefined && before.asked !== asked) {
    throw new HttpProblem(
      422,
      'idempotency-key-reused',
      'This Idempotency-Key was used for another request to this endpoint. Use a new key for a new request.',
    );
  }
  if (before !== undefined) return { delivery: before.delivery };
  const at = new Date(await databaseTime(trx));
  const { type, delivery, data } = await work(at);
  const repetition = key === undefined ? {} : { key, asked };
  await appendJournal(trx, consumer, [{ type, data: { ...data, delivery, by, ...repetition }, at }]);
  return { delivery };
}

function unknownDelivery(consumer: ConsumerName, delivery: number): HttpProblem {
  return new HttpProblem(
    404,
    'delivery-unknown',
    `There is no delivery ${delivery} to "${consumer}" (any more). See: twinkey webhooks log ${consumer}`,
  );
}
