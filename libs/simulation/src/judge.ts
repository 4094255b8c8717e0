// The promises, judged by the world as it is and by nothing that twinkey says of itself.
import { otherSlot, type AccountId, type KeySlot } from '@twinkey/contracts';
import type { Account, SecretVersion, Witness } from './azure.js';
import type { Instance } from './instance.js';
import { readTags } from './tags.js';
import { TIMES } from './settings.js';
import type { World } from './world.js';

/** Thrown into nobody's code: a breach ends the world. */
export class Judge implements Witness {
  /** What was promised and did not hold; the first breach counts. */
  verdict: string | null = null;
  readonly tally = { calls: 0, refused: 0, excused: 0, regenerations: 0, publications: 0 };
  /** Consumers that a person excused. */
  readonly waived = new Set<string>();
  /** Keys that may be replaced: what was asked for, and once more for each call whose end nobody knew. */
  readonly allowed = new Map<AccountId, number>();
  /** When somebody changed something by hand last. */
  readonly #byHandAt = new Map<AccountId, number>();
  readonly #named = new Map<string, string>();
  readonly #regenerated = new Map<AccountId, number>();
  readonly #highest = new Map<AccountId, number>();
  /** Keys that the policy allowed to replace although somebody still used them. */
  readonly #forced = new Set<string>();
  #emergencies = 0;

  constructor(private readonly world: World) {}

  breach(promise: string): void {
    if (this.verdict !== null) return;
    this.verdict = promise;
    this.world.story.tell('JUDGE', promise);
  }

  mayReplace(account: AccountId, keys: number): void {
    this.allowed.set(account, (this.allowed.get(account) ?? 0) + keys);
  }

  emergencyAsked(): void {
    this.#emergencies += 1;
  }

  regenerated(account: Account, slot: KeySlot, old: string, by: 'twinkey' | 'hand'): void {
    if (by === 'hand') {
      this.#byHandAt.set(account.id, this.world.timeline.now);
      return;
    }
    this.tally.regenerations += 1;
    if (this.#mayForce(account, slot)) this.#forced.add(old);
    const count = (this.#regenerated.get(account.id) ?? 0) + 1;
    this.#regenerated.set(account.id, count);
    const allowed = this.allowed.get(account.id) ?? 0;
    if (count > allowed)
      this.breach(
        `${account.name}: ${count} keys were regenerated, although what was asked for and calls in doubt make ${allowed}`,
      );
    if (account.current?.value === old && !this.#changedByHand(account))
      this.breach(`${account.name}: ${slot} was regenerated while Key Vault hands it out`);
    for (const instance of this.world.instances) this.#mayLose(instance, account, slot, old);
  }

  published(account: Account, version: SecretVersion): void {
    if (version.byHand) {
      this.#byHandAt.set(account.id, version.at);
      return;
    }
    this.tally.publications += 1;
    const tags = readTags(version.tags);
    if (tags === null) return;
    const name = `${account.id} ${tags.generation}`;
    const before = this.#named.get(name);
    if (before !== undefined && before !== version.value)
      this.breach(`${account.name}: generation ${tags.generation} names two keys`);
    this.#named.set(name, version.value);
    const highest = this.#highest.get(account.id) ?? 0;
    if (tags.generation < highest)
      this.breach(`${account.name}: the vault went from generation ${highest} back to ${tags.generation}`);
    this.#highest.set(account.id, Math.max(highest, tags.generation));
    if (!account.accepts(version.value, this.world.timeline.now) && !this.#changedByHand(account))
      this.breach(`${account.name}: a key was published that the account does not accept`);
  }

  /** A call of an application arrived. */
  called(instance: Instance, id: AccountId, key: string, generation: number): void {
    const { azure, timeline, story } = this.world;
    const account = azure.account(id);
    this.tally.calls += 1;
    if (account.accepts(key, timeline.now)) return;
    this.tally.refused += 1;
    const excuse = this.#excuse(instance, account, key);
    story.tell(
      instance.actor.name,
      `is refused at ${account.name} with generation ${generation}: ${excuse ?? 'for no good reason'}`,
    );
    if (excuse === null)
      this.breach(
        `a call of ${instance.actor.name} was refused at ${account.name}, generation ${generation}`,
      );
    else this.tally.excused += 1;
  }

  /** No key may be in what is sent, stored or told. */
  read(text: string, where: string): void {
    if (text.includes('SIMULATEDKEY')) this.breach(`a key is in ${where}`);
  }

  #mayLose(instance: Instance, account: Account, slot: KeySlot, old: string): void {
    if (!instance.actor.alive || !instance.isLive) return;
    const generation = instance.generationOf(account.id);
    if (this.#named.get(`${account.id} ${generation}`) !== old) return;
    if (this.waived.has(instance.consumer) || this.#forced.has(old)) return;
    this.breach(
      `${account.name}: ${slot} was regenerated while ${instance.actor.name} uses it (generation ${generation})`,
    );
  }

  #excuse(instance: Instance, account: Account, key: string): string | null {
    const death = account.dead.get(key);
    if (death === undefined) return null;
    if (death.by === 'hand') return 'a person replaced the key';
    if (this.waived.has(instance.consumer)) return 'a person excused this consumer';
    if (this.#forced.has(key)) return 'the policy says force, and the deadline is over';
    const unread = this.world.timeline.now - instance.readAt;
    if (!instance.isLive && unread >= TIMES.rereadSeconds * 1_000)
      return 'it reaches neither the notifier nor the vault';
    if (account.current?.byHand === true)
      return 'a person overwrote the secret from which it would learn the newer key';
    return null;
  }

  /** The deadline counts from when the other slot was published at the earliest. */
  #mayForce(account: Account, slot: KeySlot): boolean {
    const { onOverdue, acknowledgeWithinSeconds, emergency } = this.world.settings;
    const usual = onOverdue === 'force' ? acknowledgeWithinSeconds : Infinity;
    const hurried =
      this.#emergencies > 0 && emergency.onOverdue === 'force'
        ? emergency.acknowledgeWithinSeconds
        : Infinity;
    const ours = account.versions.filter(
      ({ byHand, tags }) => !byHand && tags['twinkey-slot'] === otherSlot(slot),
    );
    const generation = ours.at(-1)?.tags['twinkey-generation'];
    // A call that comes late writes the same generation once more.
    const published = ours.find(({ tags }) => tags['twinkey-generation'] === generation);
    const since = this.world.timeline.now - (published?.at ?? Infinity);
    return since >= (Math.min(usual, hurried) - TIMES.clockSkewSeconds) * 1_000;
  }

  #changedByHand({ id }: Account): boolean {
    const at = this.#byHandAt.get(id);
    return at !== undefined && this.world.timeline.now - at < 10 * 60_000;
  }
}
