// Which identity may speak as which consumer, and for which instance.
import type { ConsumerName, InstanceId } from '@twinkey/contracts';
import { ANYONE, HttpProblem, mayBe, type Caller } from '@twinkey/service';
import type { Shell } from './shell.js';

/** The app roles of an identity say which consumers its processes may be. */
export function assertMayBe(caller: Caller, consumer: ConsumerName): void {
  if (mayBe(caller, consumer)) return;
  throw new HttpProblem(
    403,
    'consumer-refused',
    `${caller.name} (${caller.id}) may not be an instance of "${consumer}": assign twinkey.consumer.${consumer}, or twinkey.consumer for any.`,
  );
}

/** What is kept beside an instance: null where nobody asks for tokens. */
export function identityOf(caller: Caller): string | null {
  return caller.id === ANYONE.id ? null : caller.id;
}

/**
 * Only the identity that registered an instance may renew its lease, speak for it or say goodbye for it. One that
 * registered before tokens were asked for is told to register anew, as after a loss of our memory.
 */
export async function assertOwn({ db }: Shell, instance: InstanceId, caller: Caller): Promise<void> {
  const identity = identityOf(caller);
  if (identity === null) return;
  const row = await db
    .selectFrom('instance')
    .select('identity')
    .where('instance', '=', instance)
    .executeTakeFirst();
  if (row === undefined) return; // who handles it says what that means
  if (row.identity === identity) return;
  if (row.identity === null) {
    throw new HttpProblem(410, 'unknown-instance', `${instance} registered without a token. Register again.`);
  }
  throw anotherIdentity(instance);
}

export function anotherIdentity(instance: InstanceId): HttpProblem {
  return new HttpProblem(
    403,
    'another-identity',
    `${instance} was registered by another identity; a process speaks for itself only.`,
  );
}
