// What people see of webhooks. Of a URL its query is left out: receivers put tokens there.
import { accountName, ConsumerName } from '@twinkey/contracts';
import { HttpProblem } from '@twinkey/service';
import type { SignatureKind } from '@twinkey/webhook';
import { moment } from '../messages.js';
import type { Shell } from '../shell.js';
import type { Post } from './attempt.js';
import { DEFAULT_SECRET, readSecrets } from './secrets.js';
import { loadDeliveries, loadEndpoints, type EndpointRow, type LoggedDelivery } from './sql/load-webhooks.js';
import type { AttemptOutcome, DeliveryState } from './tables.js';

export interface ShownWebhook {
  readonly consumer: ConsumerName;
  readonly url: string;
  readonly signature: SignatureKind;
  readonly secret: string;
  /** What its receiver checks signatures with; only of ed25519. */
  readonly publicKeys: readonly string[];
  readonly accounts: readonly string[];
  /** `gone`: it answered 410. `resting`: it asked to be left alone. `failing`: what was tried is still waiting. */
  readonly state: 'ready' | 'failing' | 'resting' | 'gone' | 'unsigned';
  /** Why it is not ready, as a sentence. */
  readonly problem?: string;
  readonly since?: string;
  readonly waiting: number;
  readonly deliveredAt?: string;
}

/** Every declared endpoint, and how it stands. */
export async function showWebhooks({ db }: Shell, post: Post): Promise<readonly ShownWebhook[]> {
  return Promise.all((await loadEndpoints(db)).map((row) => showWebhook(row, post)));
}

async function showWebhook(row: EndpointRow, { secretsFolder }: Post): Promise<ShownWebhook> {
  const { consumer, signature, waiting, delivered_at } = row;
  const secret = row.secret ?? DEFAULT_SECRET;
  const read = await readSecrets(secretsFolder, { name: secret, kind: signature });
  const { origin, pathname } = new URL(row.url);
  return {
    consumer,
    url: origin + pathname,
    signature,
    secret,
    publicKeys: (read.secrets ?? []).flatMap(({ publicKey }) => publicKey ?? []),
    accounts: row.accounts.map(accountName),
    ...standingOf(row, read.problem),
    waiting,
    ...(delivered_at === null ? {} : { deliveredAt: moment(delivered_at.getTime()) }),
  };
}

function standingOf(
  { gone_at, rest_until, failing_since }: EndpointRow,
  unsigned: string | undefined,
): Pick<ShownWebhook, 'state' | 'problem' | 'since'> {
  if (gone_at !== null) {
    const problem = 'It answered 410 Gone. Declare another URL, or send a test when it is back.';
    return { state: 'gone', problem, since: gone_at.toISOString() };
  }
  if (unsigned !== undefined) return { state: 'unsigned', problem: unsigned };
  if (rest_until !== null) {
    return { state: 'resting', problem: `It asked to be left alone until ${rest_until.toISOString()}.` };
  }
  if (failing_since !== null) return { state: 'failing', since: failing_since.toISOString() };
  return { state: 'ready' };
}

export interface ShownDelivery {
  readonly delivery: number;
  readonly event: string;
  readonly kind: 'key-changed' | 'test';
  readonly account?: string;
  readonly generation?: number;
  readonly state: DeliveryState;
  readonly createdAt: string;
  readonly deadlineAt: string;
  readonly nextAt?: string;
  readonly settledAt?: string;
  /** Who asked for the test, or for sending it once more. */
  readonly askedBy?: string;
  readonly attempts: number;
  /** The latest ones. */
  readonly log: readonly ShownAttempt[];
}

export interface ShownAttempt {
  readonly attempt: number;
  readonly at: string;
  readonly endedAt?: string;
  /** Absent: it is under way. */
  readonly outcome?: AttemptOutcome;
  readonly why?: string;
  readonly status?: number;
  readonly detail?: string;
}

/** The latest deliveries to an endpoint. */
export async function showDeliveries(
  { db }: Shell,
  consumer: string,
  wanted: { readonly limit: number; readonly delivery?: number | undefined },
): Promise<readonly ShownDelivery[]> {
  const rows = await loadDeliveries(db, consumer, wanted);
  if (rows.length === 0) await theEndpoint(db, consumer);
  return rows.map(showDelivery);
}

function showDelivery(row: LoggedDelivery): ShownDelivery {
  const { delivery, event, kind, account, generation, state, attempts } = row;
  return {
    delivery,
    event,
    kind,
    ...(account === null ? {} : { account: accountName(account) }),
    ...(generation === null ? {} : { generation }),
    state,
    createdAt: row.created_at.toISOString(),
    deadlineAt: row.deadline_at.toISOString(),
    ...(row.next_at === null ? {} : { nextAt: row.next_at.toISOString() }),
    ...(row.settled_at === null ? {} : { settledAt: row.settled_at.toISOString() }),
    ...(row.asked_by === null ? {} : { askedBy: row.asked_by }),
    attempts,
    log: row.log.map(({ attempt, begun_at, ended_at, outcome, why, status, detail }) => ({
      attempt,
      at: moment(Date.parse(begun_at)),
      ...(ended_at === null ? {} : { endedAt: moment(Date.parse(ended_at)) }),
      ...(outcome === null ? {} : { outcome }),
      ...(why === null ? {} : { why }),
      ...(status === null ? {} : { status }),
      ...(detail === null ? {} : { detail }),
    })),
  };
}

/** The consumer's endpoint; a consumer that has none is refused. */
export async function theEndpoint(db: Shell['db'], consumer: string): Promise<EndpointRow> {
  const [row] = await loadEndpoints(db, consumer);
  if (row !== undefined) return row;
  throw new HttpProblem(
    404,
    'webhook-unknown',
    `No consumer "${consumer}" is declared with a webhook. Declare one in twinkey.yaml or over the API.`,
  );
}
