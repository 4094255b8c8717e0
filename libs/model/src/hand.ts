// One rotator in one world: who it is, what it may do, and the world after it changed.
import { NOTHING_SEEN, type Observed } from '@twinkey/rotation';
import type { Emit, Model } from './moves.js';
import { replaced, type Call, type Rotator, type World } from './world.js';

export const IDLE: Rotator = { at: 'idle', call: null, after: null, seen: NOTHING_SEEN };

export class Hand {
  readonly owns: boolean;
  /** A worker without the lease cannot commit; without that rule it can. */
  readonly mayCommit: boolean;

  constructor(
    readonly world: World,
    readonly number: number,
    readonly rotator: Rotator,
    readonly model: Model,
    readonly emit: Emit,
  ) {
    this.owns = world.lease === number + 1;
    this.mayCommit = this.owns || !model.rules.commitsNeedTheLease;
  }

  get name(): string {
    return `R${this.number + 1}`;
  }

  /** The call that is under way. */
  call(): Call {
    const { call } = this.rotator;
    if (call === null) throw new Error('no call is under way');
    return call;
  }

  with(change: Partial<Rotator>, world = this.world): World {
    return { ...world, rotators: replaced(world.rotators, this.number, { ...this.rotator, ...change }) };
  }

  /** The turn is over; what was seen may stay in memory. */
  ended(seen: Observed, world = this.world): World {
    return { ...this.with({ ...IDLE, seen }, world), lease: this.owns ? 0 : world.lease };
  }
}
