import { createHash } from 'node:crypto';
import {
  InstanceId,
  type AccountId,
  type ConsumerName,
  type RegisterAnswer,
  type RegisterRequest,
} from '@twinkey/contracts';
import { appendJournal } from '@twinkey/journal';
import { decideInstance, lapsesAt } from '@twinkey/key-switch';
import { ANYONE, HttpProblem, type Caller } from '@twinkey/service';
import { assertMayRegister } from './declared/may-register.js';
import { anotherIdentity, identityOf } from './identity.js';
import type { Shell } from './shell.js';
import { holdCurrentKeys } from './sql/current-keys.js';
import { findAccounts } from './sql/find-accounts.js';
import { findInstance } from './sql/find-instance.js';
import { databaseTime } from './sql/load-instances.js';
import { nudge } from './sql/nudge.js';
import { saveInstance } from './sql/save-instance.js';
import { provision, subscriptionsFor } from './subscriptions.js';

/**
 * Registers a process and tells it the published generations, below which it must not serve.
 *
 * The generations are read under a shared lock that lasts until the registration is committed. So a request for a
 * newer generation either comes first, and this process learns of it, or comes after, and waits for this process.
 * Without the lock it could slip in between: the gate would open for a generation that a process which read an
 * older one from a lagging vault was never asked about.
 */
export async function register(
  shell: Shell,
  request: RegisterRequest,
  caller: Caller = ANYONE,
): Promise<RegisterAnswer> {
  const { consumer, name, boot, channel } = request;
  const identity = identityOf(caller);
  const voice = request.voice === undefined ? null : Buffer.from(request.voice, 'base64url');
  const { heartbeatSeconds, terms } = shell;
  const accounts = await knownAccounts(shell, request.accounts);
  const instance = instanceIdOf(consumer, boot);
  await assertMayRegister(shell.db, consumer, accounts);
  // Before the generations are read: what is announced from here on arrives.
  const subscriptions =
    channel === 'service-bus'
      ? await provision(shell, subscriptionsFor(instance, accounts, shell.shards))
      : [];

  const keys = await shell.db.transaction().execute(async (trx) => {
    const held = await holdCurrentKeys(trx, accounts);
    const current = await findInstance(trx, instance);
    const isOthers = (current?.identity ?? identity) !== identity;
    if (isOthers) throw anotherIdentity(instance);
    const now = await databaseTime(trx);
    const decision = decideInstance(current, { command: 'register', instance, consumer, boot }, terms, now);
    if (decision.refused !== undefined) throw staleBoot(instance);

    for (const event of decision.events) {
      if (event.event !== 'instance-registered' && event.event !== 'lease-renewed') continue;
      const { leaseUntil } = event;
      const lookAt = lapsesAt({ leaseUntil }, terms) + 1;
      await saveInstance(
        trx,
        { instance, consumer, name, boot, channel, accounts, identity, voice },
        { now: new Date(now), leaseUntil: new Date(leaseUntil), lookAt: new Date(lookAt) },
      );
      await appendJournal(trx, instance, [
        { type: event.event, data: { ...event, consumer, name, accounts }, at: new Date(now) },
      ]);
    }
    await nudge(trx, accounts);
    return held;
  });
  accounts.forEach(shell.lookSoon);

  const { leaseSeconds, rereadSeconds } = terms;
  return {
    instance,
    leaseSeconds,
    heartbeatSeconds,
    rereadSeconds,
    accounts: [...keys],
    subscriptions: [...subscriptions],
  };
}

/** Each start of a process is an instance of its own, and registering twice gives the same one. */
export function instanceIdOf(consumer: ConsumerName, boot: string): InstanceId {
  const digest = createHash('sha256').update(`${consumer}\n${boot.toLowerCase()}`).digest('hex');
  return InstanceId.parse(`i-${digest.slice(0, 16)}`);
}

/** Finds accounts under care by name or id; a name that fits none or several is refused with a remedy. */
export async function knownAccounts(shell: Shell, asked: readonly string[]): Promise<readonly AccountId[]> {
  const answer = await findAccounts(shell.db, asked);
  if ('found' in answer) return answer.found;
  if ('unknown' in answer) throw unknownAccount(answer.unknown, answer.known);
  throw new HttpProblem(
    409,
    'ambiguous-account',
    `Several accounts are called "${answer.ambiguous}": name one by its id, ${answer.candidates.join(' or ')}.`,
  );
}

function unknownAccount(name: string, known: number): HttpProblem {
  const others = known === 1 ? '1 account is' : `${known} accounts are`;
  return new HttpProblem(
    404,
    'unknown-account',
    `No account "${name}" is under care (${others}). Check the name, or declare it to the scheduler first.`,
  );
}

export function staleBoot(instance: InstanceId): HttpProblem {
  return new HttpProblem(
    409,
    'stale-boot',
    `${instance} is another process. Register this one with a boot id of its own.`,
  );
}
