// When is a world done, and what must be true then? Read from the tables with questions of our own.
import type { AccountId } from '@twinkey/contracts';
import { readTags } from './tags.js';
import { SCHEMAS } from './tables.js';
import type { World } from './world.js';

/** As much of a stored key ring as is looked at here. */
export interface StoredRing {
  readonly account: AccountId;
  readonly published: { readonly generation: number } | null;
  readonly rotation: StoredRotation | null;
  readonly inLine: readonly { readonly rotation: StoredRotation }[];
  readonly finished: readonly string[];
}

export interface StoredRotation {
  readonly rotationId: string;
  readonly halted: { readonly reason: string; readonly detail: string } | null;
}

export async function loadRings({ database }: World): Promise<readonly StoredRing[]> {
  const { rows } = (await database.server.run(
    'rotator',
    'select state from rotator.stream order by name',
  )) as {
    rows: { state: StoredRing }[];
  };
  return rows.map(({ state }) => state);
}

const sent = new WeakMap<World, Map<string, number>>();

/** What is still owed to anybody; null: nothing. */
export async function isDone(world: World, rings: readonly StoredRing[]): Promise<string | null> {
  const { settings, azure, instances, broker, timeline } = world;
  world.people.note(rings);
  for (const id of settings.accounts) {
    const ring = rings.find(({ account }) => account === id);
    if (ring?.published == null) return `nothing is published for ${id}`;
    const open = [ring.rotation, ...ring.inLine.map(({ rotation }) => rotation)].filter(
      (one) => one !== null,
    );
    const [first] = open;
    if (first !== undefined)
      return first.halted === null
        ? `rotation ${first.rotationId} is open`
        : `rotation ${first.rotationId} is halted: ${first.halted.reason}, ${first.halted.detail}`;
    if (ring.finished.length === 0) return `no rotation of ${id} was completed`;
    const account = azure.account(id);
    const shown = account.current === undefined ? null : readTags(account.current.tags);
    if (account.current === undefined || shown === null) return 'the vault shows nothing of ours';
    if (!account.accepts(account.current.value, timeline.now)) return 'the vault shows a key that is refused';
    for (const instance of instances) {
      const generation = instance.generationOf(id);
      if (generation !== Number(shown.generation))
        return `${instance.actor.name} uses generation ${generation}, ${shown.generation} is published`;
    }
  }
  const waiting = broker.waiting(60_000);
  if (waiting.length > 0) return `messages wait: ${waiting.slice(0, 3).join(', ')}`;
  return outboxesOwe(world);
}

/** A message that waits now and waited at the last look already: new ones come all the time. */
async function outboxesOwe(world: World): Promise<string | null> {
  const before = sent.get(world) ?? new Map<string, number>();
  sent.set(world, before);
  let owed: string | null = null;
  for (const schema of SCHEMAS) {
    const { rows } = (await world.database.server.run(
      schema,
      `select max(seq) as newest, count(*) filter (where sent_at is null and seq <= ${before.get(schema) ?? 0}) as waiting from ${schema}.outbox`,
    )) as { rows: { newest: number | null; waiting: number }[] };
    const [row] = rows;
    if (!before.has(schema)) owed ??= `the outbox of ${schema} was not looked at yet`;
    else if ((row?.waiting ?? 0) > 0)
      owed ??= `${row?.waiting ?? 0} messages wait in the outbox of ${schema}`;
    before.set(schema, row?.newest ?? 0);
  }
  return owed;
}

/** What a world leaves behind: no key anywhere, and every message that was said to be sent was taken. */
export async function leftBehind(world: World): Promise<void> {
  const { database, judge, broker } = world;
  const kept: Record<(typeof SCHEMAS)[number], string> = {
    rotator: `select state::text as text from rotator.stream union all select data::text from rotator.journal
              union all select body::text from rotator.outbox union all select settings::text from rotator.account`,
    notifier: `select data::text as text from notifier.journal union all select body::text from notifier.outbox
               union all select switch::text from notifier.account`,
    scheduler: `select body::text as text from scheduler.outbox union all select settings::text from scheduler.account`,
  };
  for (const schema of SCHEMAS) {
    const { rows } = (await database.server.run(
      schema,
      `select count(*) as keys from (${kept[schema]}) t where text like '%SIMULATEDKEY%'`,
    )) as { rows: { keys: number }[] };
    if ((rows[0]?.keys ?? 0) > 0) judge.breach(`a key is in the tables of ${schema}`);
    const messages = (await database.server.run(
      schema,
      `select entity, id from ${schema}.outbox where sent_at is not null`,
    )) as { rows: { entity: string; id: string }[] };
    for (const { entity, id } of messages.rows)
      if (broker.taken.get(entity)?.has(id) !== true)
        judge.breach(`${id} counts as sent, and ${entity} never had it`);
  }
}
