import { messageOf } from '../messages.js';
import type { Shell } from '../shell.js';
import { databaseTime } from '../sql/load-instances.js';
import { makeAttempt, type Post } from './attempt.js';
import { LATE_MS } from './retry-schedule.js';
import { claimAttempt } from './sql/attempts.js';
import {
  addDelivery,
  areInUse,
  forgetDeliveries,
  keepEndpoints,
  owedDeliveries,
  settleDeliveries,
  type OwedDelivery,
} from './sql/line-up.js';

/** Attempts of one process at the same time. They hold no connection to the database while they wait for an answer. */
const attemptsAtOnce = 8;
/** Beyond the limit of an attempt: what reading the secret and writing the outcome down may take. */
const holdBeyondMs = 15_000;
const owedAtOnce = 200;
const KEEP_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * Finds out which endpoints must be told what, and tells them. Everything is derived from the tables, so any replica may
 * do any of it, and what one of them left half-done is found by the next.
 */
export class Dispatcher {
  private readonly attempts = new Set<Promise<void>>();
  private readonly ending = new AbortController();
  private passing: Promise<void> | undefined;
  private again = false;
  /** Where nobody is told by webhook, a commit is no reason to ask the database anything. */
  private inUse = false;

  constructor(
    private readonly shell: Shell,
    private readonly post: Post,
  ) {}

  /** Somebody committed something: looks, where webhooks are in use. The rounds find what begins. */
  readonly hint = (): void => {
    if (this.inUse) this.soon();
  };

  /** Looks at once, without being waited for; what fails is found by the next round. */
  readonly soon = (): void => {
    if (!this.ending.signal.aborted) this.pass().catch(() => undefined);
  };

  /** Looks what there is to do, and begins to do it. At most one pass runs; who asks meanwhile gets another one. */
  pass(): Promise<void> {
    this.again = true;
    this.passing ??= this.passes().finally(() => {
      this.passing = undefined;
      if (this.again) this.soon(); // somebody asked while the last pass was on its way out
    });
    return this.passing;
  }

  /** Resolves when no attempt runs and none is due. */
  async idle(): Promise<void> {
    await this.pass();
    while (this.attempts.size > 0) {
      await Promise.all(this.attempts);
      await this.pass();
    }
  }

  /** Gives up the attempts that run, which others take up, and begins no more. */
  async close(): Promise<void> {
    this.ending.abort();
    await this.passing?.catch(() => undefined);
    await Promise.all(this.attempts);
  }

  /** Forgets what nobody looks at any more. */
  async forget(): Promise<void> {
    await forgetDeliveries(this.shell.db, KEEP_MS);
  }

  private async passes(): Promise<void> {
    while (this.again && !this.ending.signal.aborted) {
      this.again = false;
      await this.once();
    }
  }

  private async once(): Promise<void> {
    const { db } = this.shell;
    this.inUse = await areInUse(db);
    if (!this.inUse) return;
    await keepEndpoints(db);
    for (const owed of await owedDeliveries(db, owedAtOnce)) await this.lineUp(owed);
    await settleDeliveries(db);
    while (this.attempts.size < attemptsAtOnce && !this.ending.signal.aborted) {
      const claimed = await claimAttempt(db, this.post.limitMs + holdBeyondMs);
      if (claimed === null) return;
      const attempt = makeAttempt(this.shell, this.post, claimed, this.ending.signal)
        .catch((error: unknown) => {
          // The endpoint is free again when its time is over, and the attempt then counts as lost.
          this.shell.log.warn(
            { err: error, consumer: claimed.consumer },
            'A webhook could not be written down',
          );
        })
        .finally(() => {
          this.attempts.delete(attempt);
          this.soon();
        });
      this.attempts.add(attempt);
    }
  }

  private async lineUp({ consumer, current, traceparent, within, asked_at }: OwedDelivery): Promise<void> {
    const { db, shards } = this.shell;
    const at = await databaseTime(db);
    // The very message that instances hear over the bus.
    const { id, body } = messageOf({ say: 'key-changed', current }, { at, shards, traceparent });
    const own = within === null ? Number.POSITIVE_INFINITY : (asked_at?.getTime() ?? at) + within * 1000;
    const deadlineAt = Math.min(current.deadlineAt, own);
    await addDelivery(db, {
      consumer,
      event: id,
      kind: 'key-changed',
      body: JSON.stringify(body),
      about: current,
      deadlineAt,
      untilAt: Math.max(deadlineAt, at) + LATE_MS,
      askedBy: null,
    });
  }
}
