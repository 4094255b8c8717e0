// What the read model already knows to be pointless is answered at once. It may lag behind: what it lets through
// and the rotator declines shows up in the rotation's timeline as `refused`.
import { HttpProblem } from '@twinkey/service';
import type { AccountView, RotationView } from './answers.js';

export function assertCanReplay(rotation: RotationView): void {
  assertOpen(rotation);
  if (rotation.state === 'halted') return;
  throw new HttpProblem(
    409,
    'rotation-running',
    `Rotation ${rotation.id} of ${rotation.account} is ${rotation.state}; only a halted one can be replayed.`,
  );
}

export function assertCanHalt(rotation: RotationView): void {
  assertOpen(rotation);
  if (rotation.state !== 'halted') return;
  throw new HttpProblem(
    409,
    'rotation-halted',
    `Rotation ${rotation.id} of ${rotation.account} is halted already.`,
  );
}

export function assertCanWaive(
  rotation: RotationView,
  consumer: string,
  known: AccountView['consumers'],
): void {
  assertOpen(rotation);
  // Nothing heard of this account's consumers yet: the notifier and the rotator know better.
  if (known.length === 0 || known.some((other) => other.consumer === consumer)) return;
  const names = known.map((other) => other.consumer).join(', ');
  throw new HttpProblem(
    404,
    'consumer-unknown',
    `${rotation.account} has no consumer "${consumer}". Its consumers: ${names}.`,
  );
}

function assertOpen({ id, account, state, refusal }: RotationView): void {
  if (state === 'completed') {
    throw new HttpProblem(409, 'rotation-completed', `Rotation ${id} of ${account} is completed.`);
  }
  if (state === 'refused') {
    throw new HttpProblem(
      409,
      'rotation-refused',
      `Rotation ${id} of ${account} never began: ${refusal?.detail ?? 'the rotator refused it'}`,
    );
  }
}
