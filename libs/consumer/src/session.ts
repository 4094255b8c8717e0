// One instance's conversation with the notifier:
//
//   registering ──answer──► following ──no answer for a lease──► lapsed ──answer──► following
//        ▲                      │ 410                               │ 410
//        └──────────────────────┴───────────────────────────────────┘
//
// Lapsed or not, keys stay usable; the difference is who confirms them (heartbeat or own reading).
import { once } from 'node:events';
import {
  type AccountId,
  generation,
  type Generation,
  isPermanentFault,
  PermanentFault,
  type RegisterAnswer,
  TransientFault,
} from '@twinkey/contracts';
import type { Channel } from './channel.js';
import type { BeforeSwitch, Refusal } from './consent.js';
import type { Events } from './events.js';
import { type AccountPorts, FollowedAccount } from './followed-account.js';
import type { Notifier } from './notifier-client.js';
import { Pulse } from './pulse.js';
import type { Settings } from './settings.js';
import type { AfterSwitch } from './placing.js';
import { isLapsed, isRereadDue, lookEveryMs } from './standing.js';
import { backoffMs, type Timing } from './timing.js';
import type { Vault } from './vault-reader.js';

export interface SessionParts {
  readonly settings: Settings;
  readonly boot: string;
  readonly notifier: Notifier;
  readonly vault: Vault;
  /** Absent: changes are learned from heartbeats only. */
  readonly channel: Channel | undefined;
  readonly timing: Timing;
  readonly events: Events;
  /** Asked before a newer key is used; absent: it is used at once. */
  readonly beforeSwitch?: BeforeSwitch | undefined;
  /** Puts a key in place before it is acknowledged; absent: it is in place when this process has it. */
  readonly afterSwitch?: AfterSwitch | undefined;
}

/** How an instance leaves. */
export interface Leaving {
  /**
   * True unless told. False when what got its keys from here goes on using them: then no key switch goes on without it
   * before its lease is over, in which it can be started again.
   */
  readonly goodbye?: boolean;
}

const BEFORE_SWITCH_SECONDS = 30;
const ASK_AGAIN_SECONDS = 60;
const REGISTER_AGAIN_CEILING_MS = 5_000;
const CALLS_END_WITHIN_MS = 30_000;
const CHANNEL_CLOSES_WITHIN_MS = 5_000;

export class Session {
  readonly accounts = new Map<AccountId, FollowedAccount>();
  readonly #parts: SessionParts;
  readonly #closing = new AbortController();
  readonly #heartbeats: Pulse;
  #registration: RegisterAnswer | undefined;
  #answeredAt = -Infinity;
  #isAnswered = false;
  #lapsed = false;
  #loops: Promise<void>[] = [];
  #closed: Promise<void> | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#heartbeats = new Pulse(parts.timing, this.#closing.signal);
  }

  /**
   * Registers, reads the keys that are published, and starts to follow. Fails with the last reason when that is
   * not done within `startWithinSeconds`, or at once when the reason is final.
   */
  async start(): Promise<void> {
    const { timing, settings } = this.#parts;
    const giveUpAt = timing.now() + settings.startWithinSeconds * 1000;
    await this.#register(giveUpAt);
    this.#loops = this.#follow();
    await Promise.all([...this.accounts.values()].map((account) => this.#firstKey(account, giveUpAt)));
  }

  /** Aborts when the session ends. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  get events(): Events {
    return this.#parts.events;
  }

  /** Ends all waiting; what is left to do is `close`. */
  interrupt(): void {
    this.#closing.abort();
  }

  /** Waits for calls under way, says goodbye unless told otherwise, lets go of everything. */
  close({ goodbye = true }: Leaving = {}): Promise<void> {
    this.#closed ??= this.#close(goodbye);
    return this.#closed;
  }

  async #close(goodbye: boolean): Promise<void> {
    const { notifier, channel, events } = this.#parts;
    this.#closing.abort();
    await Promise.all(this.#loops);
    const calls = Promise.all([...this.accounts.values()].map(({ holder }) => holder.close()));
    // After a goodbye no key switch waits for this instance, so nothing may be under way by then. Without one the
    // lease runs out, which is slower and just as safe.
    const isOver = await this.#inTime(calls, CALLS_END_WITHIN_MS);
    if (goodbye && isOver && this.#registration !== undefined) {
      try {
        await notifier.goodbye(this.#registration.instance);
      } catch (error) {
        events.emit('error', asError(error));
      }
    }
    if (channel === undefined) return;
    // A link that is just being re-established may not let itself be closed; the process shall end all the same.
    if (await this.#inTime(channel.close(), CHANNEL_CLOSES_WITHIN_MS)) return;
    events.emit(
      'error',
      new TransientFault('bus-unreachable', 'the connection to Service Bus did not close in time'),
    );
  }

  async #inTime(work: Promise<unknown>, withinMs: number): Promise<boolean> {
    const done = new AbortController();
    const late = this.#parts.timing.wait(withinMs, done.signal).then(() => false);
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      done.abort();
    }
  }

  /** The notifier surely counts on this instance; one that was frozen finds out here that it may not any more. */
  #isAwaited(): boolean {
    if (!this.#isAnswered || this.#registration === undefined) return false;
    const leaseMs = this.#registration.leaseSeconds * 1000;
    return !isLapsed({ answeredAt: this.#answeredAt, leaseMs, now: this.#parts.timing.now() });
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #register(giveUpAt: number): Promise<void> {
    const { timing } = this.#parts;
    for (let attempt = 0; !this.#isClosing(); attempt += 1) {
      try {
        await this.#registerOnce();
        return;
      } catch (error) {
        const pause = backoffMs(attempt, REGISTER_AGAIN_CEILING_MS, timing);
        if (isPermanentFault(error) || timing.now() + pause >= giveUpAt) throw error;
        if (attempt === 0) this.#parts.events.emit('error', asError(error));
        await timing.wait(pause, this.#closing.signal);
      }
    }
  }

  async #registerOnce(): Promise<void> {
    const { notifier, settings, boot, channel, timing } = this.#parts;
    const askedAt = timing.now();
    const answer = await notifier.register({
      consumer: settings.consumer,
      name: settings.name,
      boot,
      accounts: [...settings.accounts],
      channel: channel === undefined ? 'heartbeat' : 'service-bus',
      ...(channel?.voice === undefined ? {} : { voice: channel.voice }),
    });
    const missing = settings.accounts.filter(
      (asked) => !answer.accounts.some((each) => isMeant(asked, each)),
    );
    if (missing.length > 0) {
      throw new TransientFault(
        'account-not-found',
        `accounts: the notifier does not know ${missing.join(', ')}`,
      );
    }
    this.#registration = answer;
    this.#answered(askedAt);
    for (const current of answer.accounts) {
      const known = this.accounts.get(current.account) ?? this.#take(current);
      known.rereadMs = answer.rereadSeconds * 1000;
      known.heard(current);
      known.confirmed(askedAt);
      // A new registration knows of no acknowledgement yet.
      if (known.acknowledged !== undefined) void this.#say(known);
    }
    await channel?.listen(answer.subscriptions, (announcement) => {
      this.accounts.get(announcement.account)?.heard(announcement);
    });
  }

  #take({ account, name, secret }: RegisterAnswer['accounts'][number]): FollowedAccount {
    const { vault, timing, events } = this.#parts;
    const followed = new FollowedAccount(account, name, secret, {
      vault,
      timing,
      closing: this.#closing.signal,
      failed: (error) => {
        events.emit('error', error);
      },
      switched: (switched, previous) => {
        const { id, name, generation } = switched;
        events.emit('switched', { account: id, name, generation, previous });
        void this.#acknowledge(switched, previous);
      },
      ...this.#asking(),
    });
    this.accounts.set(account, followed);
    return followed;
  }

  /** How the application is asked before a switch, if it wants to be. */
  #asking(): Pick<AccountPorts, 'beforeSwitch' | 'afterSwitch'> {
    const { beforeSwitch, afterSwitch, settings } = this.#parts;
    const { beforeSwitchSeconds = BEFORE_SWITCH_SECONDS, askAgainSeconds = ASK_AGAIN_SECONDS } = settings;
    const askAgainMs = askAgainSeconds * 1000;
    return {
      ...(beforeSwitch && {
        beforeSwitch: {
          hook: beforeSwitch,
          withinMs: beforeSwitchSeconds * 1000,
          askAgainMs,
          isAwaited: () => this.#isAwaited(),
          refused: (account: FollowedAccount, refusal: Refusal) => {
            this.#refused(account, account.generation, refusal);
          },
        },
      }),
      ...(afterSwitch && {
        afterSwitch: {
          hook: afterSwitch,
          againMs: askAgainMs,
          refused: (account: FollowedAccount, refusal: Refusal) => {
            this.#refused(account, account.acknowledged?.generation ?? generation(0), refusal);
          },
        },
      }),
    };
  }

  /** `kept`: the generation that stays in use meanwhile. */
  #refused(
    { id, name }: FollowedAccount,
    kept: Generation,
    { generation: offered, reason, askAgainAt }: Refusal,
  ): void {
    const until = new Date(askAgainAt);
    this.#parts.events.emit('kept', { account: id, name, generation: kept, offered, reason, until });
    this.#heartbeats.hurry(); // so that people see at once who holds a rotation, and why
  }

  /** Both loops look at the latest registration: a new one may come with other times. */
  #follow(): Promise<void>[] {
    const { timing } = this.#parts;
    const latest = (): RegisterAnswer => {
      if (this.#registration === undefined) throw new Error('not registered');
      return this.#registration;
    };
    if (this.#registration === undefined) return []; // interrupted before
    return [
      this.#heartbeats.run(
        () => latest().heartbeatSeconds * 1000,
        () => this.#heartbeat(latest()),
      ),
      new Pulse(timing, this.#closing.signal).run(
        () => lookEveryMs(latest().rereadSeconds * 1000),
        () => this.#rereadDue(latest()),
      ),
    ];
  }

  async #firstKey(account: FollowedAccount, giveUpAt: number): Promise<void> {
    const { timing, settings } = this.#parts;
    if (!account.isExpected) {
      if (settings.waitForFirstPublication) await Promise.race([account.ready, this.#interrupted()]);
      return;
    }
    const waiting = new AbortController();
    const late = timing.wait(giveUpAt - timing.now(), waiting.signal);
    await Promise.race([account.ready, late, this.#interrupted()]);
    waiting.abort();
    if (account.generation > 0 || this.#isClosing()) return;
    throw (
      account.trouble ??
      new TransientFault('vault-unreachable', `${account.name}: no key was read in time from Key Vault`)
    );
  }

  async #interrupted(): Promise<void> {
    if (!this.#isClosing()) await once(this.#closing.signal, 'abort');
  }

  /** Says "I use this generation" when nothing signed with an older key can be under way any more, or when that will be so. */
  async #acknowledge(account: FollowedAccount, previous: Generation): Promise<void> {
    const { timing, settings } = this.#parts;
    const { holder, generation } = account;
    const unseenUntil = timing.now() + settings.drainSeconds * 1000;
    const placed = account.inPlace(previous);
    await holder.landed(generation);
    if (!(await placed)) return;
    if (account.generation !== generation) return; // overtaken by a newer one, which will be acknowledged
    const drainedAt = Math.max(
      previous > 0 && holder.isUnseen ? unseenUntil : -Infinity,
      account.tokenDeaths.lastBelow(generation),
    );
    account.acknowledged =
      drainedAt > timing.now()
        ? { generation, drainedAt: new Date(drainedAt).toISOString() }
        : { generation };
    await this.#say(account);
  }

  async #say(account: FollowedAccount): Promise<void> {
    const { channel, timing, settings, boot, events } = this.#parts;
    const { acknowledged } = account;
    if (acknowledged === undefined || this.#registration === undefined) return;
    const { instance } = this.#registration;
    if (channel === undefined) {
      this.#heartbeats.hurry();
      return;
    }
    try {
      await channel.acknowledge({
        account: account.id,
        consumer: settings.consumer,
        instance,
        boot,
        at: new Date(timing.now()).toISOString(),
        ...acknowledged,
      });
    } catch (error) {
      events.emit('error', asError(error));
      this.#heartbeats.hurry(); // it carries the same words
    }
  }

  async #heartbeat({ instance, leaseSeconds }: RegisterAnswer): Promise<void> {
    const { notifier, boot, timing, events } = this.#parts;
    const askedAt = timing.now();
    try {
      const answer = await notifier.heartbeat(instance, {
        boot,
        accounts: [...this.accounts.values()].map((account) => account.standing()),
      });
      if (answer === 'unknown-instance') {
        await this.#registerOnce();
        return;
      }
      this.#answered(askedAt);
      for (const current of answer.accounts) {
        const account = this.accounts.get(current.account);
        account?.heard(current);
        account?.confirmed(askedAt);
      }
    } catch (error) {
      if (this.#isAnswered) this.#relyOnReading();
      if (this.#lapsed) return; // told once
      if (!isLapsed({ answeredAt: this.#answeredAt, leaseMs: leaseSeconds * 1000, now: timing.now() }))
        return;
      this.#lapsed = true;
      events.emit('lapsed', { since: new Date(this.#answeredAt), reason: asError(error).message });
    }
  }

  /** At once, so that a first reading is done well before the lease runs out and the notifier stops waiting. */
  #relyOnReading(): void {
    this.#isAnswered = false;
    for (const account of this.accounts.values()) {
      account.unconfirmed();
      void account.reread();
    }
  }

  /** A lease counts from the moment of asking: the notifier cannot have heard it earlier. */
  #answered(askedAt: number): void {
    this.#answeredAt = askedAt;
    this.#isAnswered = true;
    if (!this.#lapsed) return;
    this.#lapsed = false;
    this.#parts.events.emit('resumed', { at: new Date(askedAt) });
  }

  async #rereadDue({ rereadSeconds }: RegisterAnswer): Promise<void> {
    const now = this.#parts.timing.now();
    const rereadMs = rereadSeconds * 1000;
    const due = [...this.accounts.values()].filter(
      ({ confirmedAt, generation }) => generation > 0 && isRereadDue({ confirmedAt, rereadMs, now }),
    );
    await Promise.all(due.map((account) => account.reread()));
  }
}

function isMeant(asked: string, { account, name }: { account: AccountId; name: string }): boolean {
  const wanted = asked.toLowerCase();
  return wanted === account.toLowerCase() || wanted === name.toLowerCase();
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new PermanentFault('unexpected-answer', String(error));
}
