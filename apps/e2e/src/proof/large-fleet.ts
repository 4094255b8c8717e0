// A fleet of many instances, what is done to its processes, and what is asked of it between the troubles.
import { SAMPLE_POLICIES, waitUntil, type Child, type SampleConsumer } from '@twinkey/dev';
import { Ground, type Newest } from '../crashes/ground.js';
import type { Finding } from '../history/history.js';
import { accountNames, consumersOf, type FleetSize } from './size.js';

/** Low, so that two processors carry some hundred instances beside everything else. */
const CALLS_PER_SECOND = 0.5;
const LONG_MS = 600_000;
/** How the judge puts it that a call was refused, and nothing worse. */
const ONCE_REFUSED =
  /was answered 401$|^consumers saw \d+ refusals$|was used by \d+ calls after it was replaced$/;

const policies = { calm: { ...SAMPLE_POLICIES.standard, interval: 'PT6H', firstRotation: 'after-interval' } };

export class LargeFleet {
  readonly #frozen = new Set<string>();
  readonly #excused = new Set<string>();
  /** Refused once and then repeated with the newer key: by processes that had been frozen. */
  healedAfterThaw = 0;
  /** Processes that were killed, frozen or cut off from what they need. */
  readonly troubles: string[] = [];
  readonly startedAt = performance.now();

  private constructor(
    readonly ground: Ground,
    readonly size: FleetSize,
    readonly consumers: readonly SampleConsumer[],
  ) {}

  /** Every account has a publication and every instance is registered for its accounts and calls. */
  static async start(size: FleetSize): Promise<LargeFleet> {
    const consumers = consumersOf(size);
    const accounts = accountNames(size);
    const ground = await Ground.start({
      accounts,
      consumers,
      policies,
      policy: 'calm',
      callsPerSecond: CALLS_PER_SECOND,
      startWithinMs: LONG_MS,
    });
    const fleet = new LargeFleet(ground, size, consumers);
    try {
      await fleet.allRegistered();
      await fleet.allCall();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  async stop(): Promise<void> {
    for (const consumer of this.#frozen) this.#signal(consumer, 'SIGCONT');
    await this.ground.stop();
  }

  /** The consumer of the process with this number, counted around. */
  name(index: number): string {
    return this.consumers[index % this.consumers.length]?.consumer ?? '';
  }

  /** All its instances die without a goodbye. */
  async kill(consumer: string): Promise<void> {
    this.#note(`${consumer} is killed`);
    await this.#process(consumer).kill();
  }

  /** What the judge finds in the history that was not there, and excused, before. */
  async findings(): Promise<readonly Finding[]> {
    const all = await this.ground.fleet.findings();
    return all.filter((finding) => !this.#excused.has(JSON.stringify(finding)));
  }

  /** As many new instances. */
  begin(consumer: string): void {
    this.#note(`${consumer} is started`);
    this.#process(consumer).start();
  }

  /** From here on it neither hears nor says anything, and does not know it. */
  freeze(consumer: string): void {
    this.#note(`${consumer} is frozen`);
    this.#frozen.add(consumer);
    this.#signal(consumer, 'SIGSTOP');
  }

  /**
   * It goes on where it was, with keys that are dead by now. Resolves when each of its instances has called each of its accounts.
   *
   * It looks into Key Vault before it calls; but when that does not answer within two seconds, as when it wakes up on a
   * machine that is too busy, it calls with the key it has, is refused, and repeats the call with the newer one. That is
   * the promise to those who were away for longer than their lease; such calls are counted and excused, and no others.
   */
  async thaw(consumer: string): Promise<void> {
    const { load } = this.ground.fleet;
    const [own, all] = [load.counters(consumer), load.counters()];
    const calls = load.callsOfEach(consumer);
    // In turn; the first of them may have been under way when it was frozen.
    const more = 1 + (this.consumers.find((each) => each.consumer === consumer)?.accounts.length ?? 0);
    this.#note(`${consumer} is thawed`);
    this.#frozen.delete(consumer);
    this.#signal(consumer, 'SIGCONT');
    await this.#until(`every instance of ${consumer} calls again`, () => {
      const now = load.callsOfEach(consumer);
      return [...calls].every(([instance, before]) => (now.get(instance) ?? 0) >= before + more);
    });
    // A refusal is told with the next line of counters; the ledger has it at once.
    await this.#until(
      'callers have told of every refusal that Azure saw, and of its repetition',
      async () => {
        const { seenByCallers, seenByAzure, notHealed } = await this.ground.fleet.refused();
        return seenByCallers === seenByAzure && notHealed === 0;
      },
    );
    const [ownAfter, allAfter] = [load.counters(consumer), load.counters()];
    const healed = ownAfter.healed - own.healed;
    const isOwn = allAfter.refused - all.refused === ownAfter.refused - own.refused;
    if (!isOwn || ownAfter.refused - own.refused !== healed) return; // then nothing is excused
    this.healedAfterThaw += healed;
    for (const finding of await this.findings())
      if (healed > 0 && ONCE_REFUSED.test(finding.text)) this.#excused.add(JSON.stringify(finding));
  }

  /** Takes something away until every instance had the occasion to call some times meanwhile. */
  async without(
    what: string,
    takeAway: () => Promise<unknown>,
    giveBack?: () => Promise<unknown>,
  ): Promise<void> {
    expectOpen(await this.open(), what);
    this.#note(`${what} is away`);
    await takeAway();
    await this.moreCalls(5 * this.size.instances);
    await giveBack?.();
    this.#note(`${what} is back`);
  }

  /** How many rotations have not ended. */
  async open(): Promise<number> {
    const rotations = Object.values(await this.ground.fleet.rotations());
    return rotations.filter((each) => each !== undefined && each.state !== 'completed').length;
  }

  rotate(reason: string): Promise<Newest> {
    return this.ground.askForAll(reason);
  }

  completed(before: Newest): Promise<void> {
    return this.ground.untilAll('completed', before, LONG_MS);
  }

  moreCalls(count: number): Promise<void> {
    const { load } = this.ground.fleet;
    const before = load.counters().calls;
    return this.#until(`${count} more calls`, () => load.counters().calls >= before + count);
  }

  /** Each account counts exactly the instances that use it. */
  async allRegistered(): Promise<void> {
    const expected = new Map<string, number>();
    for (const { accounts, instances } of this.consumers)
      for (const name of accounts) expected.set(name, (expected.get(name) ?? 0) + instances);
    await this.#until('all instances are registered', async () => {
      const accounts = await this.ground.fleet.client.accounts().catch(() => []);
      const live = accounts.map(
        ({ name, consumers }) => [name, consumers.reduce((sum, { live }) => sum + live, 0)] as const,
      );
      return live.length === expected.size && live.every(([name, count]) => count === expected.get(name));
    });
  }

  /** Registered is not ready: the first key has to be read as well. */
  async allCall(): Promise<void> {
    const { load } = this.ground.fleet;
    await this.#until('every process calls', () =>
      this.consumers.every(({ consumer, instances }) => load.counters(consumer).calls >= 2 * instances),
    );
  }

  #until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    return waitUntil(what, condition, { withinMs: LONG_MS, everyMs: 250 });
  }

  #process(consumer: string): Child {
    const child = this.ground.fleet.load.process(consumer);
    if (child === undefined) throw new Error(`no process of ${consumer}`);
    return child;
  }

  #signal(consumer: string, signal: NodeJS.Signals): void {
    const { pid } = this.#process(consumer);
    if (pid !== undefined) process.kill(pid, signal);
  }

  #note(what: string): void {
    this.troubles.push(what);
    this.ground.fleet.recorder.note(what);
  }
}

function expectOpen(open: number, what: string): void {
  if (open === 0) throw new Error(`${what} was to go away during rotations, and all of them are over`);
}
