// What messages tell a key ring. An input is recorded whoever holds the account's lease: it only changes what the
// plan will see. The expected version keeps it and the lease holder from overwriting each other.
import { TransientFault, type AccountId } from '@twinkey/contracts';
import type { Decision, KeyRing, RingEvent } from '@twinkey/rotation';
import type { Accounts } from './accounts.js';
import type { Advance } from './advance.js';
import type { KeyRings } from './key-rings.js';

const TRIES = 20;

export interface Input {
  readonly account: AccountId;
  readonly messageId: string;
  readonly handler: string;
  readonly decide: (ring: KeyRing, now: number) => Decision;
  /** What to record when the ring refuses: people who asked must hear of it. */
  readonly onRefusal?: (refusal: Extract<Decision, { accepted: false }>, now: number) => RingEvent | null;
}

export class Inputs {
  constructor(
    private readonly accounts: Accounts,
    private readonly rings: KeyRings,
    private readonly advance: Advance,
    private readonly clock: () => Date,
  ) {}

  /** Records the input once, however often its message comes, and has the account looked at. */
  async take(input: Input): Promise<Decision> {
    const known = await this.accounts.find(input.account);
    if (known === null) {
      // The declaration travels on another topic and may be late; if it never comes, the message ends among the dead letters.
      throw new TransientFault('account-unknown', `The scheduler has not declared ${input.account}.`, {
        retryAfterMs: 2_000,
      });
    }
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const loaded = await this.rings.load(input.account);
      const now = this.clock();
      const decision = input.decide(loaded.ring, now.getTime());
      const events = decision.accepted ? decision.events : refused(input, decision, now.getTime());
      if (events.length === 0) {
        // Whoever asks about a rotation that is open already may have reason to: it may have been forgotten.
        if (decision.accepted || decision.code === 'already-requested') this.advance.wake(input.account);
        return decision;
      }
      const { handler, messageId } = input;
      const outcome = await this.rings.record(loaded, events, {
        settings: known.settings,
        lookAgainAt: now,
        inbox: { handler, messageId },
      });
      if (outcome.recorded || outcome.why === 'message-already-handled') {
        this.advance.wake(input.account);
        return decision;
      }
    }
    throw new TransientFault(
      'account-busy',
      `The key ring of ${input.account} changed ${TRIES} times meanwhile.`,
    );
  }
}

function refused(
  input: Input,
  decision: Extract<Decision, { accepted: false }>,
  now: number,
): readonly RingEvent[] {
  const told = input.onRefusal?.(decision, now) ?? null;
  return told === null ? [] : [told];
}
