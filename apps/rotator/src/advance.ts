// The loop: load, observe, plan, commit the intent, act, commit the result; again until nothing can be done now.
// Whatever wakes it (a message, a timer, a restart, a replay) only says: look again.
import {
  accountName,
  isInterrupted,
  isPermanentFault,
  isTransientFault,
  type AccountId,
} from '@twinkey/contracts';
import { currentTraceparent, releaseLease, takeLease, type Database } from '@twinkey/journal';
import type { SecretText } from '@twinkey/key-store';
import {
  inspect,
  newIncarnation,
  plan,
  termsFor,
  wasToldOf,
  type KeyRing,
  type Next,
  type Obstruction,
  type PolicyTerms,
  type Terms,
  type Waiting,
} from '@twinkey/rotation';
import { outsideTraces, span, type Log } from '@twinkey/service';
import type { Accounts } from './accounts.js';
import { haltFor } from './halt.js';
import { policyTerms } from './terms-from.js';
import { Hold } from './hold.js';
import type { KeyRings } from './key-rings.js';
import type { Incarnations } from './incarnations.js';
import { look, type Outside } from './look.js';
import { publish } from './perform/publish.js';
import { regenerate } from './perform/regenerate.js';
import type { Turns } from './turns.js';
import { Watch } from './watch.js';
import { Work, type WorkTimes } from './work.js';

/** Keys are forgotten so long after the last look, also in the middle of a rotation: listing them again costs one write. */
const FORGET_AFTER_MS = 60_000;
/** And after so long in any case; a gate that opened after a day looks anew. */
const SEEN_FOR_MS = 5 * 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
/** A loop that never comes to rest is a defect of the plan; better a halt in the log than a hot loop against Azure. */
const ROUNDS = 200;

/** Of a turn's span; an account that is asked about all the time has a few. */
const MOST_LINKS = 16;

/** What no account's policy says. */
export type InstallationTerms = Omit<Terms, keyof PolicyTerms>;

export interface AdvanceParts {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly rings: KeyRings;
  readonly outside: Outside;
  readonly salt: SecretText;
  readonly holder: string;
  readonly times: WorkTimes;
  readonly terms: InstallationTerms;
  readonly turns: Turns;
  readonly incarnations: Pick<Incarnations, 'current'>;
  readonly log: Log;
}

/** `turn`: whatever else goes wrong, a defect included. */
type Doing = Next['do'] | 'turn';

/** Brings accounts forward, each by one worker at a time: a queue in this process, a lease between processes. */
export class Advance {
  readonly #holds = new Map<AccountId, Hold>();
  readonly #watch = new Watch();
  /** What failed last, and how often in a row: only its own success ends the row. */
  readonly #faults = new Map<AccountId, { readonly at: Doing; readonly times: number }>();
  /** Trace parents of what asked for the next turn; a turn may answer to many. */
  readonly #wokenBy = new Map<AccountId, readonly string[]>();

  constructor(private readonly parts: AdvanceParts) {
    parts.turns.serve((account) => this.#turn(account));
  }

  /** Has the account looked at as soon as there is a free hand; again if it is being looked at right now. */
  wake(account: AccountId): void {
    const traceparent = currentTraceparent();
    if (traceparent !== undefined)
      this.#wokenBy.set(account, [...(this.#wokenBy.get(account) ?? []), traceparent].slice(-MOST_LINKS));
    this.parts.turns.ask(account);
  }

  /** The same, and the account is looked at outside although nothing is owed: somebody says that it was changed. */
  inspect(account: AccountId): void {
    this.#watch.hurry(account);
    this.wake(account);
  }

  async #turn(account: AccountId): Promise<void> {
    const { database, accounts, holder, times, turns, log } = this.parts;
    try {
      const known = await accounts.find(account);
      if (known === null) return;
      const grant = await takeLease(database, { name: leaseName(account), holder, ttlMs: times.leaseMs });
      if (grant === null) {
        turns.askLater(account, times.leaseMs / 4);
        return;
      }
      const { rings, outside } = this.parts;
      const work = await Work.begin(account, grant, {
        settings: known.settings,
        database,
        rings,
        times,
        clock: outside.clock,
      });
      try {
        // Nobody wants it cared for any more. A rotation in the middle leaves two keys that work.
        if (known.withdrawn) await work.decide([], null);
        else await this.#traced(work);
      } finally {
        await releaseLease(database, work.lease);
      }
      this.#succeeded(account, 'turn');
    } catch (error) {
      if (isInterrupted(error)) {
        log.info({ account, code: error.code }, error.message);
        this.#holds.delete(account);
        // A process that was frozen with a call in hand has sent it behind the back of whoever holds the lease now, and
        // no service of Azure can refuse it: whether what consumers read still works is not left to the next look.
        this.#watch.hurry(account);
      } else {
        log.error({ account, err: error }, 'An account could not be looked at; it is tried again.');
      }
      turns.askLater(account, this.#pauseAfterFault(account, 'turn'));
    }
  }

  /** A turn of a rotation stands in the rotation's trace, whatever woke it; the usual look at an account in none. */
  #traced(work: Work): Promise<void> {
    const { account, rotation } = work.ring;
    const links = this.#wokenBy.get(account) ?? [];
    this.#wokenBy.delete(account);
    if (rotation === null) return outsideTraces(() => this.#advance(work));
    const { rotationId } = rotation;
    return span('look at account', { rotationId, links }, { 'twinkey.account': accountName(account) }, () =>
      this.#advance(work),
    );
  }

  async #advance(work: Work): Promise<void> {
    const { account } = work.ring;
    await this.#beginAnew(work);
    let hold = this.#holdOf(account);
    let inspecting = false;
    for (let round = 1; round <= ROUNDS; round += 1) {
      if (this.parts.turns.stopping) return;
      let next = plan(work.ring, hold.seen, this.#termsOf(work), work.now());
      if (next.do === 'rest' && this.#watch.dueIn(account, work.settings.policy, work.now()) <= 0) {
        // What was seen earlier is of no use to a look.
        if (!inspecting) hold = new Hold(this.parts.salt, work.now());
        inspecting = true;
        next = inspect(work.ring, hold.seen, work.now());
        if (next.do !== 'read-vault' && next.do !== 'probe') this.#watch.looked(account);
      }
      const goOn = await this.#perform(next, work, hold);
      if (!goOn) return;
    }
    throw new Error(`the plan of ${account} did not come to rest in ${ROUNDS} rounds`);
  }

  /** A ring that an earlier life of the database left has forgotten what came after. */
  async #beginAnew(work: Work): Promise<void> {
    const incarnation = await this.parts.incarnations.current();
    while (work.ring.incarnation < incarnation) {
      const cause = 'the database was restored, or a replica took over';
      await work.decide([newIncarnation(work.ring, { incarnation, cause }, this.#termsOf(work), work.now())]);
    }
  }

  /** True: ask the plan again at once. */
  async #perform(next: Next, work: Work, hold: Hold): Promise<boolean> {
    try {
      const goOn = await span(`plan ${next.do}`, {}, detailsOf(next), () => this.#act(next, work, hold));
      this.#succeeded(work.ring.account, next.do);
      return goOn;
    } catch (error) {
      if (isPermanentFault(error)) return this.#stop(haltFor(error), work);
      if (!isTransientFault(error)) throw error;
      const { code, message, retryAfterMs } = error;
      // A Retry-After of nothing is no leave to ask without pause.
      const pause = Math.max(
        retryAfterMs ?? this.#pauseAfterFault(work.ring.account, next.do),
        FIRST_PAUSE_MS,
      );
      const why = code === 'throttled' ? 'throttling' : 'outage';
      return this.#wait({ for: why, code, detail: message, until: work.now() + pause }, work);
    }
  }

  async #act(next: Next, work: Work, hold: Hold): Promise<boolean> {
    const { outside } = this.parts;
    switch (next.do) {
      case 'rest':
        if (!owesProof(work.ring)) this.#holds.delete(work.ring.account);
        return this.#rest(work);
      case 'list-keys':
      case 'read-vault':
      case 'probe':
      case 'prove-retired':
        await work.keepLease();
        await look(next, work.ring, hold, work.settings, outside);
        return true;
      case 'record':
        await work.decide([next.event]);
        // Both have just seen everything outside.
        if (next.event.type === 'RotationCompleted' || next.event.type === 'LookDone')
          this.#watch.looked(work.ring.account);
        if (next.event.type === 'RotationCompleted') await this.#tidy(work);
        return true;
      case 'regenerate':
        await regenerate(next, work, hold, outside);
        return true;
      case 'publish':
        await publish(next, work, hold, outside);
        return true;
      case 'ask-switch':
        await this.#askSwitch(next.request, work);
        return true;
      case 'wait':
        return this.#wait(next.what, work);
      case 'halt':
        return this.#stop(next, work);
      default:
        throw new Error('unknown action');
    }
  }

  /** Nothing is owed; the account is looked at again after a while, in case somebody changes it. */
  async #rest(work: Work): Promise<boolean> {
    const { account } = work.ring;
    const inMs = Math.max(0, this.#watch.dueIn(account, work.settings.policy, work.now()));
    if (!(await work.decide([], new Date(work.now() + inMs)))) return true; // something came in
    this.parts.turns.askLater(account, inMs);
    return false;
  }

  async #askSwitch(request: number, work: Work): Promise<void> {
    const { rotation, published } = work.ring;
    if (published === null) throw new Error('a switch is asked for although nothing is published');
    await work.decide([
      {
        type: 'SwitchAsked',
        at: work.now(),
        generation: published.generation,
        request,
        rotationId: rotation?.rotationId ?? null,
        deadlineAt: work.now() + termsFor(work.ring, this.#termsOf(work)).acknowledgeWithinMs,
        waived: rotation?.waived ?? [],
      },
    ]);
  }

  async #wait(what: Waiting, work: Work): Promise<boolean> {
    return this.#obstructed({ type: 'WaitingFor', at: work.now(), what }, what.until ?? null, work);
  }

  async #obstructed(why: Obstruction, until: number | null, work: Work): Promise<boolean> {
    const recorded = await work.decide(
      wasToldOf(work.ring, why) ? [] : [why],
      until === null ? null : new Date(until),
    );
    if (!recorded) return true; // something came in: it may be what was waited for
    if (until !== null) this.parts.turns.askLater(work.ring.account, until - work.now());
    return false;
  }

  async #stop({ reason, detail, remedy }: Extract<Next, { do: 'halt' }>, work: Work): Promise<boolean> {
    const { account, rotation } = work.ring;
    const known = this.#holds.get(account);
    this.#holds.delete(account);
    if (reason === 'old-key-still-accepted' && known !== undefined) this.#keepForReplay(account, known);
    this.parts.log.warn({ account, rotationId: rotation?.rotationId, reason, remedy }, detail);
    if (rotation === null || rotation.halted !== null) {
      // Nothing that could be replayed (a first publication, drift at rest): people are told, and time may mend it.
      const hindered: Obstruction = { type: 'CareHindered', at: work.now(), reason, detail, remedy };
      return this.#obstructed(hindered, work.now() + LONGEST_PAUSE_MS, work);
    }
    return !(await work.decide([{ type: 'RotationHalted', at: work.now(), reason, detail, remedy }], null));
  }

  /** A replay proves anew that the old key is dead, if it comes soon: later nobody knows the key any more. */
  #keepForReplay(account: AccountId, known: Hold): void {
    const hold = known.withNothingSeen(this.parts.outside.clock().getTime());
    this.#holds.set(account, hold);
    hold.expireIn(SEEN_FOR_MS, () => {
      if (this.#holds.get(account) === hold) this.#holds.delete(account);
    });
  }

  /** Older versions of the secret are of no use to anyone now. Their being left enabled harms nobody: the keys are dead. */
  async #tidy(work: Work): Promise<void> {
    const { published, account } = work.ring;
    if (published === null) return;
    try {
      await this.parts.outside.shelf.disableSuperseded(work.settings.secret, {
        keepVersion: published.version,
      });
    } catch (error) {
      if (!isTransientFault(error) && !isPermanentFault(error)) throw error;
      this.parts.log.warn({ account, code: error.code }, 'Superseded versions of the secret stay enabled.');
    }
  }

  #holdOf(account: AccountId): Hold {
    const { outside, salt } = this.parts;
    const now = outside.clock().getTime();
    const known = this.#holds.get(account);
    const hold = known !== undefined && now - known.since < SEEN_FOR_MS ? known : new Hold(salt, now);
    this.#holds.set(account, hold);
    hold.expireIn(FORGET_AFTER_MS, () => {
      if (this.#holds.get(account) === hold) this.#holds.delete(account);
    });
    return hold;
  }

  #termsOf({ settings: { policy } }: Work): Terms {
    return { ...this.parts.terms, ...policyTerms(policy) };
  }

  /** Doubles as long as the same thing fails, whatever succeeds in between: reading a vault that refuses writes, say. */
  #pauseAfterFault(account: AccountId, at: Doing): number {
    const last = this.#faults.get(account);
    const times = last?.at === at ? last.times + 1 : 1;
    this.#faults.set(account, { at, times });
    return Math.min(FIRST_PAUSE_MS * 2 ** (times - 1), LONGEST_PAUSE_MS);
  }

  #succeeded(account: AccountId, at: Doing): void {
    if (this.#faults.get(account)?.at === at) this.#faults.delete(account);
  }
}

/** What of a decision may leave the installation. */
function detailsOf(next: Next): Record<string, string> {
  if (next.do === 'record') return { 'twinkey.event': next.event.type };
  return next.do === 'regenerate' || next.do === 'publish' ? { 'twinkey.slot': next.slot } : {};
}

function owesProof({ rotation }: KeyRing): boolean {
  return rotation?.halted?.reason === 'old-key-still-accepted';
}

function leaseName(account: AccountId): string {
  return `account:${account}`;
}
