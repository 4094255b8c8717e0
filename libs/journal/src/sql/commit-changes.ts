import type { Change, CommitRefused } from '../change.js';
import { eventColumns, outboxColumns, toJson } from './columns.js';

/** A statement for `pg`, prepared once per connection under its name. */
export interface CommitStatement {
  readonly name: string;
  readonly text: string;
  readonly values: unknown[];
}

/** `i` is the place of the change in what the statement was made from. */
export interface CommitOutcome {
  readonly i: number;
  readonly refused: CommitRefused['why'] | null;
}

/**
 * For the connection that runs the statement. It is planned once, perhaps while the tables are empty, and a plan made
 * for an empty table scans all of `stream` later on. With these every lookup goes by index, whatever the statistics.
 */
export const plannerSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/**
 * Commits many changes in one statement, which is one transaction and one fsync, and says of each whether it was
 * made. The changes must be of different streams and of different inbox messages; `batch.ts` sees to that.
 *
 * Locking. The update of `stream` is the lock: a second writer of the same row waits, then finds the version
 * moved and changes nothing; creation meets on the primary key in the same way. Rows are taken in the order of
 * the names, so that two writers cannot lock each other out. The lease is read without a lock: if it changes hands
 * between our reading and our commit, the new holder's first commit finds a version it does not know and loads
 * again, before it has acted on anything. The inbox insert has no `on conflict`: a message that another
 * transaction handled since this statement began makes the whole statement fail (23505), nothing of it is kept,
 * and the next attempt sees the message and refuses that one change only.
 *
 * Parts that no change needs are left out of the text: a bare transition costs half of the full statement.
 */
export function commitStatement(changes: readonly Change[]): CommitStatement {
  const values: unknown[] = [];
  const parameter = (value: unknown, type: string) => `$${values.push(value)}::${type}`;
  const column = (type: string, pick: (change: Change) => unknown) =>
    parameter(changes.map(pick), `${type}[]`);

  const creates = changes.some((c) => c.expectedVersion === 0);
  const moves = changes.some((c) => c.expectedVersion > 0);
  const leased = changes.some((c) => c.lease !== undefined);
  const fromInbox = changes.some((c) => c.inbox !== undefined);

  const columns: string[][] = [
    ['i', parameter([...changes.keys()], 'int[]')],
    ['stream', column('text', (c) => c.stream)],
    ['expected', column('int', (c) => c.expectedVersion)],
    ['state', column('json', (c) => toJson(c.state))],
    ['look_again_at', column('timestamptz', (c) => c.lookAgainAt?.toISOString() ?? null)],
  ];
  const reasons: string[] = [];
  if (leased) {
    columns.push(
      ['lease', column('text', (c) => c.lease?.name ?? null)],
      ['holder', column('text', (c) => c.lease?.holder ?? null)],
      ['epoch', column('bigint', (c) => c.lease?.epoch ?? null)],
    );
    reasons.push(`when g.lease is not null and not exists (
        select from lease l where l.name = g.lease and l.holder = g.holder and l.epoch = g.epoch
          and l.expires_at > clock_timestamp()) then 'lease-lost'`);
  }
  if (fromInbox) {
    columns.push(
      ['handler', column('text', (c) => c.inbox?.handler ?? null)],
      ['message_id', column('text', (c) => c.inbox?.messageId ?? null)],
    );
    reasons.push(`when g.handler is not null and exists (
        select from inbox b where b.handler = g.handler and b.message_id = g.message_id)
        then 'message-already-handled'`);
  }
  const given = `unnest(${columns.map(([, array]) => array).join(', ')})
      as g (${columns.map(([name]) => name).join(', ')})`;
  const refused = reasons.length === 0 ? 'null::text' : `case ${reasons.join('\n      ')} end`;

  const ctes = [`change as materialized (select g.*, ${refused} as refused from ${given})`];
  const done: string[] = [];
  if (moves) {
    ctes.push(`moved as (
      update stream s set version = s.version + 1, state = c.state, look_again_at = c.look_again_at
      from change c
      where c.refused is null and s.name = c.stream and s.version = c.expected
      returning c.i)`);
    done.push('select i from moved');
  }
  if (creates) {
    ctes.push(`created as (
      insert into stream (name, version, state, look_again_at)
      select stream, 1, state, look_again_at from change where refused is null and expected = 0
      on conflict (name) do nothing
      returning name)`);
    done.push('select i from change where stream = any ((select array_agg(name) from created)::text[])');
  }
  ctes.push(`done as materialized (select array_agg(i) as changes from (${done.join(' union all ')}) d)`);
  if (fromInbox)
    ctes.push(`handled as (
      insert into inbox (handler, message_id)
      select handler, message_id from change where handler is not null and ${isDone('i')})`);

  const events = changes.flatMap((change, i) => change.events.map((event) => ({ i, event })));
  if (events.length > 0) {
    const c = eventColumns(events.map(({ event }) => event));
    ctes.push(`recorded as (
      insert into journal (stream, type, data, at)
      select e.stream, e.type, e.data, e.at
      from unnest(${parameter(
        events.map(({ i }) => i),
        'int[]',
      )}, ${parameter(
        events.map(({ i }) => changes[i]?.stream),
        'text[]',
      )}, ${parameter(c.type, 'text[]')}, ${parameter(c.data, 'json[]')},
                  ${parameter(c.at, 'timestamptz[]')}) with ordinality as e (i, stream, type, data, at, n)
      where ${isDone('e.i')}
      order by e.n)`);
  }

  const messages = changes.flatMap((change, i) => change.outbox.map((message) => ({ i, message })));
  if (messages.length > 0) {
    const c = outboxColumns(messages.map(({ message }) => message));
    ctes.push(`appended as (
      insert into outbox (id, entity, subject, body, traceparent, not_before, order_key)
      select m.id, m.entity, m.subject, m.body, m.traceparent, m.not_before, m.order_key
      from unnest(${parameter(
        messages.map(({ i }) => i),
        'int[]',
      )}, ${parameter(c.id, 'text[]')}, ${parameter(c.entity, 'text[]')},
                  ${parameter(c.subject, 'text[]')}, ${parameter(c.body, 'json[]')},
                  ${parameter(c.traceparent, 'text[]')}, ${parameter(c.notBefore, 'timestamptz[]')},
                  ${parameter(c.orderKey, 'text[]')})
           with ordinality as m (i, id, entity, subject, body, traceparent, not_before, order_key, n)
      where ${isDone('m.i')}
      order by m.n
      on conflict (id) do nothing)`);
  }

  const parts = [creates, moves, leased, fromInbox, events.length > 0, messages.length > 0];
  return {
    name: `commit-${parts.map(Number).join('')}`,
    text: `with ${ctes.join(',\n    ')}
    select i, coalesce(refused, case when not coalesce(${isDone('i')}, false) then 'stale-version' end) as refused
    from change`,
    values,
  };
}

/**
 * An array that is walked, not a join: without hash joins the batch would be joined with itself by nested loops, which
 * measured four times the CPU of the whole statement at 256 changes.
 */
function isDone(i: string): string {
  return `${i} = any ((select changes from done)::int[])`;
}
