import { storeSettings, type TopicSettings } from './entity.js';
import { entityExists, quotaExceeded, ruleNotFound } from '../errors.js';
import type { Message } from './message.js';
import { checkPartName } from './names.js';
import type { Queue } from './queue.js';
import { compileRule, everything, restoredRule, type CompiledRule, type Rule } from './rules/rule.js';
import type { Change } from './stored.js';

const MOST_SQL_FILTERS = 2000;
const MOST_CORRELATION_FILTERS = 100_000;

/** How many filters the subscriptions of one topic have together. A filter that is always true costs nothing. */
export class FilterLimits {
  private sql = 0;
  private correlation = 0;

  count({ filter }: Pick<Rule, 'filter'>, change: 1 | -1): void {
    if (filter.kind === 'correlation') this.correlation += change;
    else if (filter.expression !== everything.expression) this.sql += change;
  }

  check({ filter }: Pick<Rule, 'filter'>): void {
    if (filter.kind === 'correlation') {
      if (this.correlation >= MOST_CORRELATION_FILTERS)
        throw quotaExceeded('A topic has at most 100,000 correlation filters');
    } else if (filter.expression !== everything.expression && this.sql >= MOST_SQL_FILTERS)
      throw quotaExceeded('A topic has at most 2,000 SQL filters');
  }
}

/** A subscription is a queue that a topic fills with what its rules match. */
export class Subscription {
  readonly rules = new Map<string, CompiledRule>();

  constructor(
    readonly name: string,
    readonly queue: Queue,
    rules: readonly Rule[],
    private readonly limits: FilterLimits,
  ) {
    this.restoreRules(rules);
  }

  /** As the journal tells them: what was accepted once is not judged again. */
  restoreRules(rules: readonly Rule[]): void {
    for (const { name } of this.listRules()) this.removeRule(name);
    for (const rule of rules) this.set(rule, restoredRule(rule));
  }

  addRule(rule: Rule): void {
    if (this.rules.has(rule.name.toLowerCase())) throw entityExists(`${this.queue.path}/Rules/${rule.name}`);
    checkPartName(rule.name, 'rule');
    this.limits.check(rule);
    this.set(rule);
  }

  replaceRule(rule: Rule): void {
    const old = this.rules.get(rule.name.toLowerCase());
    if (old === undefined) throw ruleNotFound(rule.name);
    if (old.rule.filter.kind !== rule.filter.kind) this.limits.check(rule);
    this.set(rule);
  }

  /** Compiles first: a rule whose SQL is refused leaves everything as it was. */
  private set(rule: Rule, compiled = compileRule(rule)): void {
    const key = rule.name.toLowerCase();
    const old = this.rules.get(key);
    if (old !== undefined) this.limits.count(old.rule, -1);
    this.rules.set(key, compiled);
    this.limits.count(rule, 1);
  }

  removeRule(name: string): void {
    const old = this.rules.get(name.toLowerCase());
    if (old === undefined) throw ruleNotFound(name);
    this.rules.delete(name.toLowerCase());
    this.limits.count(old.rule, -1);
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

export interface TopicHost {
  note(change: Change): void;
  /** Into the queue of a subscription, or on to where that forwards to. */
  enqueue(queue: Queue, message: Message, now: number, firstSequence: number): unknown;
}

export class Topic {
  readonly subscriptions = new Map<string, Subscription>();
  readonly filters = new FilterLimits();

  constructor(
    readonly path: string,
    private ownSettings: TopicSettings,
    /** Counts sequence numbers, remembers message ids and holds what is scheduled. */
    readonly store: Queue,
    private readonly host: TopicHost,
  ) {}

  get settings(): TopicSettings {
    return this.ownSettings;
  }

  set settings(settings: TopicSettings) {
    this.ownSettings = settings;
    this.store.settings = storeSettings(settings);
  }

  get createdAt(): number {
    return this.store.createdAt;
  }

  /** The number of the message here; `firstSequence` if another entity or a schedule had it before. */
  publish(message: Message, now: number, firstSequence?: number): number {
    const sequence = this.store.nextNumber();
    const first = firstSequence ?? sequence;
    const limited = this.limited(message);
    // Copies that share their bytes share one entry of the journal, and their size.
    const sharing: Queue[] = [];
    for (const subscription of this.subscriptions.values()) {
      const { queue } = subscription;
      for (const copy of this.select(subscription, limited, now))
        if (copy === limited && isPlain(queue, copy)) sharing.push(queue);
        else this.host.enqueue(queue, copy, now, first);
    }
    const o = { now, firstSequence: first, sharedBy: sharing.length };
    const targets = sharing.map((queue) => queue.place(limited, o));
    if (targets.length > 0) this.host.note({ kind: 'enqueued', targets });
    return sequence;
  }

  private limited(message: Message): Message {
    const { defaultTtlMs } = this.settings;
    return (message.header.ttlMs ?? Infinity) <= defaultTtlMs || defaultTtlMs > 0xffff_ffff
      ? message
      : message.withTtl(defaultTtlMs);
  }

  private select(subscription: Subscription, message: Message, now: number): readonly Message[] {
    try {
      return subscription.select(message);
    } catch (error) {
      const { queue } = subscription;
      if (queue.settings.deadLetterOnFilterError) {
        const description = error instanceof Error ? error.message : 'A filter failed';
        queue.deadLetterNew(queue.deadLetters, message, 'FilterEvaluationException', description, { now });
      }
      return [];
    }
  }
}

/** Nothing stands between the message and the queue. */
function isPlain(queue: Queue, message: Message): boolean {
  return (
    queue.settings.forwardTo === undefined &&
    (!queue.needsSession || message.sessionId !== undefined) &&
    queue.limited(message) === message
  );
}
