// A declared receiver is one instance of its consumer that always stands: no process registers it, no lease ends.
import { createHash } from 'node:crypto';
import {
  type AccountId,
  type ConsumerDeclaration,
  type ConsumerName,
  type InstanceId,
} from '@twinkey/contracts';
import { instanceIdOf } from '../register.js';
import { dropStanding, saveStanding } from '../sql/standing-instance.js';
import type { Trx } from '../tables.js';

/** The one instance of a consumer that is declared as a receiver, and what stands for the start of its process. */
export function standingInstanceOf(consumer: ConsumerName): { instance: InstanceId; boot: string } {
  const digest = createHash('sha256').update(`declared receiver\n${consumer}`).digest('hex');
  const boot = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
  return { instance: instanceIdOf(consumer, boot), boot };
}

/**
 * Lets the instance stand for exactly the declared accounts, or leave when there is none to stand. Returns the
 * accounts that it stands for no longer.
 */
export async function keepStandingInstance(
  trx: Trx,
  consumer: ConsumerName,
  declaration: ConsumerDeclaration | null,
  now: number,
): Promise<readonly AccountId[]> {
  const { instance, boot } = standingInstanceOf(consumer);
  const kind = declaration?.channel.kind ?? 'instances';
  if (declaration === null || kind === 'instances') return dropStanding(trx, instance);
  return saveStanding(trx, { instance, boot, consumer, channel: kind, accounts: declaration.accounts }, now);
}
