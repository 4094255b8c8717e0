import type { ConsumerDeclaration } from '@twinkey/contracts';
import type { Expectation } from '@twinkey/key-switch';

/** The question of an account's switch, as far as deadlines of consumers count from it. */
export interface Asked {
  readonly askedAt: number | null;
  /** What the policy does at the account's deadline; null: the rotator did not say. */
  readonly onOverdue: 'hold' | 'force' | null;
}

/**
 * What a declaration means for the account's present switch. A deadline of its own without a word about its silence
 * takes the policy's word; where that is not known it holds, for holding interrupts nobody.
 */
export function expectationOf(declaration: ConsumerDeclaration, { askedAt, onOverdue }: Asked): Expectation {
  const { consumer, minimumInstances, acknowledgeWithinSeconds } = declaration;
  const deadlineAt =
    acknowledgeWithinSeconds === undefined || askedAt === null
      ? null
      : askedAt + acknowledgeWithinSeconds * 1000;
  const own = declaration.onOverdue ?? (deadlineAt === null ? null : (onOverdue ?? 'hold'));
  // A receiver's one instance always stands, and is waited for like any other.
  const minimum = declaration.channel.kind === 'instances' ? minimumInstances : 0;
  return { consumer, minimum, deadlineAt, onOverdue: own };
}
