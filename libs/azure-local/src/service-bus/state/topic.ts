import type { TopicSettings } from './entity.js';
import { entityExists, ruleNotFound } from '../errors.js';
import type { Message } from './message.js';
import type { Queue, QueueHost } from './queue.js';
import { deadLetterProperties } from './stamps.js';
import { compileRule, type CompiledRule, type Rule } from './rules/rule.js';
import type { Stored } from './stored.js';

/** A subscription is a queue that a topic fills with what its rules match. */
export class Subscription {
  readonly rules = new Map<string, CompiledRule>();

  constructor(
    readonly name: string,
    readonly queue: Queue,
    rules: readonly Rule[],
  ) {
    for (const rule of rules) this.rules.set(rule.name.toLowerCase(), compileRule(rule));
  }

  addRule(rule: Rule): void {
    const key = rule.name.toLowerCase();
    if (this.rules.has(key)) throw entityExists(`${this.queue.path}/Rules/${rule.name}`);
    this.rules.set(key, compileRule(rule));
  }

  replaceRule(rule: Rule): void {
    if (!this.rules.has(rule.name.toLowerCase())) throw ruleNotFound(rule.name);
    this.rules.set(rule.name.toLowerCase(), compileRule(rule));
  }

  removeRule(name: string): void {
    if (!this.rules.delete(name.toLowerCase())) throw ruleNotFound(name);
  }

  /** In the order of their names. */
  listRules(): Rule[] {
    return [...this.rules.values()]
      .map(({ rule }) => rule)
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /**
   * The copies this subscription gets: one for all matching rules without an action, and one for each matching
   * rule with an action.
   */
  select(message: Message): Message[] {
    const copies: Message[] = [];
    let plain = false;
    for (const compiled of this.rules.values()) {
      if (!compiled.matches(message)) continue;
      if (compiled.act === undefined) plain = true;
      else
        copies.push(
          compiled
            .act(message)
            .withApplicationProperties(new Map([['RuleName', ruleName(compiled.rule.name)]])),
        );
    }
    if (plain) copies.unshift(message);
    return copies;
  }
}

function ruleName(name: string): Buffer {
  return Buffer.concat([Buffer.from([0xa1, Buffer.byteLength(name)]), Buffer.from(name)]);
}

export class Topic {
  readonly subscriptions = new Map<string, Subscription>();

  constructor(
    readonly path: string,
    public settings: TopicSettings,
    /** Counts sequence numbers, remembers message ids and holds what is scheduled. */
    readonly store: Queue,
    private readonly host: QueueHost,
  ) {
    store.onDue = (stored, now) => {
      this.publish(stored.message, now, stored.sequence);
    };
  }

  get createdAt(): number {
    return this.store.createdAt;
  }

  publish(message: Message, now: number, scheduledAs?: number): number {
    const sequence = ++this.store.lastSequence;
    const firstSequence = scheduledAs ?? sequence;
    const withTtl = this.limited(message);
    // Copies that share their bytes share one entry of the journal.
    const shared: Stored[] = [];
    for (const subscription of this.subscriptions.values())
      for (const copy of this.select(subscription, withTtl, now)) {
        if (this.autoForward(subscription, copy, now)) continue;
        const stored = subscription.queue.place(copy, { now, firstSequence });
        if (copy === withTtl) shared.push(stored);
        else this.host.note({ kind: 'enqueued', targets: [stored] });
      }
    if (shared.length > 0) this.host.note({ kind: 'enqueued', targets: shared });
    return firstSequence;
  }

  private limited(message: Message): Message {
    const { defaultTtlMs } = this.settings;
    return (message.header.ttlMs ?? Infinity) <= defaultTtlMs || defaultTtlMs > 0xffff_ffff
      ? message
      : message.withTtl(defaultTtlMs);
  }

  private select(subscription: Subscription, message: Message, now: number): Message[] {
    try {
      return subscription.select(message);
    } catch (error) {
      const { queue } = subscription;
      if (queue.settings.deadLetterOnFilterError)
        queue.deadLetters?.put(
          message.withApplicationProperties(
            deadLetterProperties(
              'FilterEvaluationException',
              error instanceof Error ? error.message : 'A filter failed',
            ),
          ),
          { now, sequence: ++queue.lastSequence },
        );
      return [];
    }
  }

  private autoForward(subscription: Subscription, copy: Message, now: number): boolean {
    const { forwardTo } = subscription.queue.settings;
    return forwardTo !== undefined && this.host.forwardNew(forwardTo, copy, now);
  }
}
