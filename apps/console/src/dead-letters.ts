import { topology } from '@twinkey/contracts';
import type { Bus, DeadLetter, EntitySource } from '@twinkey/service-bus';
import type { DeadLetterView } from './api/answers.js';

/** Per queue or subscription: enough to see what is wrong, however many there are. */
const MOST_PER_ENTITY = 200;

/** Every queue, and every subscription that always exists; those of consumer instances come and go. */
const ENTITIES: ReadonlyMap<string, EntitySource> = new Map(entities());

function* entities(): Generator<[string, EntitySource]> {
  const { queues, topics } = topology({ shards: 1 });
  for (const { name } of queues) yield [name, { queue: name }];
  for (const { name, subscriptions } of topics) {
    for (const subscription of subscriptions)
      yield [`${name}/${subscription}`, { topic: name, subscription }];
  }
}

export function entityNamed(name: string): EntitySource | undefined {
  return ENTITIES.get(name);
}

/** What lies in all dead-letter queues, entity by entity, oldest first. */
export async function listDeadLetters(bus: Bus): Promise<DeadLetterView[]> {
  const lists = await Promise.all(
    [...ENTITIES].map(async ([entity, source]) => {
      const letters = await bus.deadLetters(source).list({ max: MOST_PER_ENTITY });
      return letters.map((letter) => deadLetterView(entity, letter));
    }),
  );
  return lists.flat();
}

function deadLetterView(entity: string, letter: DeadLetter): DeadLetterView {
  return {
    entity,
    sequenceNumber: letter.sequenceNumber,
    id: letter.id,
    account: letter.subject ?? null,
    type: typeOf(letter.body),
    reason: letter.reason ?? null,
    description: letter.description ?? null,
    deliveryCount: letter.deliveryCount,
    enqueuedAt: letter.enqueuedAt.toISOString(),
  };
}

function typeOf(body: unknown): string | null {
  return typeof body === 'object' && body !== null && 'type' in body && typeof body.type === 'string'
    ? body.type
    : null;
}
