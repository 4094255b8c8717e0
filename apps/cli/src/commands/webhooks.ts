import { setTimeout as delay } from 'node:timers/promises';
import { ConsoleClient } from '../console-client.js';
import { EXIT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { authorizer } from '../identity.js';
import { relative } from '../moments.js';
import { paintState, printList, screenFor, type Screen } from '../screen.js';
import { usageFailure, type GlobalOptions } from '../settings.js';
import { table } from '../table.js';
import { askedBy } from './session.js';

export interface WebhookOptions {
  readonly notifierUrl: string;
}

export interface LogOptions extends WebhookOptions {
  readonly attempts?: true;
  readonly limit: string;
}

interface Webhook {
  readonly consumer: string;
  readonly url: string;
  readonly publicKeys: readonly string[];
  readonly accounts: readonly string[];
  readonly state: string;
  readonly problem?: string;
  readonly waiting: number;
  readonly deliveredAt?: string;
}

interface Delivery {
  readonly delivery: number;
  readonly kind: 'key-changed' | 'test';
  readonly account?: string;
  readonly generation?: number;
  readonly state: string;
  readonly createdAt: string;
  readonly nextAt?: string;
  readonly attempts: number;
  readonly log: readonly Attempt[];
}

interface Attempt {
  readonly attempt: number;
  readonly at: string;
  readonly outcome?: string;
  readonly status?: number;
  readonly detail?: string;
}

/** An attempt takes up to 15 seconds where nobody says otherwise, and it may have to wait for another. */
const OUTCOME_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;

interface Notifier {
  readonly client: ConsoleClient;
  readonly screen: Screen;
  readonly timeoutMs: number | undefined;
}

function notifierAt(options: GlobalOptions, { notifierUrl }: WebhookOptions): Notifier {
  const service = { name: 'notifier', settings: '--notifier-url or TWINKEY_NOTIFIER_URL' };
  return {
    client: new ConsoleClient(notifierUrl, undefined, authorizer(process.env), service),
    screen: screenFor(options),
    timeoutMs: options.timeout,
  };
}

const pathOf = (consumer: string) => `/v1/webhooks/${encodeURIComponent(consumer)}`;

export async function listWebhooks(options: GlobalOptions, own: WebhookOptions): Promise<void> {
  const { client, screen } = notifierAt(options, own);
  const answer = await client.get<{ webhooks: Webhook[] }>('/v1/webhooks');
  if (answer.webhooks.length === 0) screen.talk('No consumer is declared with a webhook.');
  printList(screen, answer.webhooks, {
    whole: answer,
    name: ({ consumer }) => consumer,
    table: () =>
      answer.webhooks.length === 0
        ? []
        : table(
            ['CONSUMER', 'STATE', 'WAITING', 'DELIVERED', 'ACCOUNTS', 'CHECKED WITH', 'URL'],
            answer.webhooks.map((one) => [
              one.consumer,
              paintState(screen, one.state),
              String(one.waiting),
              relative(one.deliveredAt ?? null),
              one.accounts.join(',') || '-',
              one.publicKeys.join(' ') || 'a shared secret',
              one.url,
            ]),
          ),
  });
  for (const { consumer, problem } of answer.webhooks) {
    if (problem !== undefined) screen.talk(`${consumer}: ${problem}`);
  }
}

export async function showLog(options: GlobalOptions, own: LogOptions, consumer: string): Promise<void> {
  const { client, screen } = notifierAt(options, own);
  const path = `${pathOf(consumer)}/deliveries?limit=${encodeURIComponent(own.limit)}`;
  const answer = await client.get<{ deliveries: Delivery[] }>(path);
  if (answer.deliveries.length === 0) screen.talk(`${consumer} was sent nothing yet.`);
  printList(screen, answer.deliveries, {
    whole: answer,
    name: ({ delivery }) => String(delivery),
    table: () => {
      if (answer.deliveries.length === 0) return [];
      return own.attempts === true
        ? attemptTable(answer.deliveries)
        : deliveryTable(answer.deliveries, screen);
    },
  });
}

function deliveryTable(deliveries: readonly Delivery[], screen: Screen): string[] {
  return table(
    ['NUMBER', 'ABOUT', 'STATE', 'ATTEMPTS', 'CREATED', 'NEXT', 'LAST ANSWER'],
    deliveries.map((one) => [
      String(one.delivery),
      aboutOf(one),
      paintState(screen, one.state),
      String(one.attempts),
      relative(one.createdAt),
      relative(one.nextAt ?? null),
      lineOf(one.log.at(-1)),
    ]),
  );
}

function attemptTable(deliveries: readonly Delivery[]): string[] {
  return table(
    ['NUMBER', 'ABOUT', 'ATTEMPT', 'WHEN', 'ANSWER'],
    deliveries.flatMap((one) =>
      [...one.log]
        .reverse()
        .map((attempt) => [
          String(one.delivery),
          aboutOf(one),
          String(attempt.attempt),
          relative(attempt.at),
          lineOf(attempt),
        ]),
    ),
  );
}

function aboutOf({ kind, account, generation }: Delivery): string {
  return kind === 'test' ? 'a test' : `${account ?? '-'} g${generation ?? '-'}`;
}

function lineOf(attempt: Attempt | undefined): string {
  if (attempt === undefined) return '-';
  const { outcome = 'under way', status, detail } = attempt;
  return detail ?? (status === undefined ? outcome : `${outcome} (${status})`);
}

export async function sendTest(options: GlobalOptions, own: WebhookOptions, consumer: string): Promise<void> {
  const notifier = notifierAt(options, own);
  const asked = await notifier.client.post<{ delivery: number }>(`${pathOf(consumer)}/test`, {
    by: askedBy(),
  });
  await sayOutcome(notifier, consumer, asked.delivery, 0);
}

export async function resend(
  options: GlobalOptions,
  own: WebhookOptions,
  consumer: string,
  number: string | undefined,
): Promise<void> {
  if (number !== undefined && !/^\d+$/.test(number)) {
    throw usageFailure(`"${number}" is no number of a message.`, 'See: twinkey webhooks log <consumer>');
  }
  const notifier = notifierAt(options, own);
  const known =
    number === undefined
      ? await latest(notifier, consumer)
      : await deliveryOf(notifier, consumer, Number(number));
  const delivery = known?.delivery ?? Number(number);
  await notifier.client.post(`${pathOf(consumer)}/deliveries/${delivery}/resend`, { by: askedBy() });
  await sayOutcome(notifier, consumer, delivery, known?.attempts ?? 0);
}

async function latest({ client }: Notifier, consumer: string): Promise<Delivery> {
  const path = `${pathOf(consumer)}/deliveries?limit=200`;
  const { deliveries } = await client.get<{ deliveries: Delivery[] }>(path);
  const found = deliveries.find(({ kind }) => kind === 'key-changed');
  if (found !== undefined) return found;
  throw new Failure(EXIT.notFound, {
    what: `${consumer} was sent nothing about a key yet.`,
    why: 'No key of its accounts was published since it was declared.',
    state: 'Nothing was sent.',
    remedy: `Try the endpoint with: twinkey webhooks test ${consumer}`,
  });
}

async function deliveryOf(
  { client }: Notifier,
  consumer: string,
  delivery: number,
): Promise<Delivery | undefined> {
  const path = `${pathOf(consumer)}/deliveries?delivery=${delivery}`;
  return (await client.get<{ deliveries: Delivery[] }>(path)).deliveries[0];
}

/** Waits for the end of the first attempt after those that there were, and says what it was. */
async function sayOutcome(
  notifier: Notifier,
  consumer: string,
  delivery: number,
  attemptsBefore: number,
): Promise<void> {
  const { screen, timeoutMs = OUTCOME_WITHIN_MS } = notifier;
  const signal = AbortSignal.timeout(timeoutMs);
  for (;;) {
    const now = await deliveryOf(notifier, consumer, delivery);
    const last = now?.log.at(-1);
    if (now !== undefined && last?.outcome !== undefined && last.attempt > attemptsBefore) {
      printList(screen, [now], {
        whole: now,
        name: () => String(delivery),
        table: () => deliveryTable([now], screen),
      });
      if (['acknowledged', 'delivered'].includes(last.outcome)) return;
      throw notDelivered(consumer, now, last);
    }
    if (signal.aborted) throw stillWaiting(consumer, delivery, timeoutMs);
    await delay(LOOK_EVERY_MS);
  }
}

function notDelivered(consumer: string, { kind, nextAt }: Delivery, { detail }: Attempt): Failure {
  return new Failure(EXIT.failed, {
    what: `${consumer} did not take the message.`,
    why: detail ?? 'Nobody knows why.',
    state: kind === 'test' ? 'A test is tried once.' : `The next attempt is ${relative(nextAt ?? null)}.`,
    remedy: `See: twinkey webhooks log ${consumer} --attempts`,
  });
}

function stillWaiting(consumer: string, delivery: number, ms: number): Failure {
  return new Failure(EXIT.timedOut, {
    what: `Nothing was heard of message ${delivery} within ${ms / 1000} s.`,
    why: 'Another attempt to the same endpoint is under way, or no notifier sends.',
    state: 'It waits in the line.',
    remedy: `See: twinkey webhooks log ${consumer}`,
  });
}
