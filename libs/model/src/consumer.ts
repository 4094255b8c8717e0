// A consumer's process: registers, reads, serves, acknowledges. What it does with what it hears and reads is decided by
// the library's own rules (`@twinkey/consumer/follow`), and what the notifier makes of what it says by the notifier's.
import { hear, install, isBehind, judge, type Followed } from '@twinkey/consumer/follow';
import { decideAhead } from '@twinkey/rotation';
import { nameOf } from './keys.js';
import { DRAINED, FAR, LONG_AGO, NOW } from './moments.js';
import { TROUBLE, type Breach, type Emit, type Model } from './moves.js';
import { wasKilledByStranger } from './azure.js';
import { commandInstance } from './notifier.js';
import { record } from './record.js';
import { hasReread } from './time.js';
import {
  asGeneration,
  at,
  CONSUMERS,
  GHOSTS,
  INSTANCES,
  isAccepted,
  replaced,
  sameKey,
  type Process,
  type Shown,
  type World,
} from './world.js';

const BOOT = 'now';
const EARLIER_BOOT = 'before';

export const OFF: Process = {
  at: 'off',
  held: null,
  minimum: 0,
  read: null,
  request: null,
  said: 0,
  cutOff: false,
  fenced: false,
  abandoned: false,
  instance: null,
  ghost: null,
  ghostSaid: 0,
  cache: null,
};

export function consumerMoves(world: World, model: Model, emit: Emit): void {
  world.processes.forEach((process, number) => {
    const one = new Moves(world, number, process, model, emit);
    if (process.at === 'off') one.start();
    else one.live();
    one.beHeard();
  });
}

class Moves {
  readonly #name: string;

  constructor(
    private readonly world: World,
    private readonly number: number,
    private readonly process: Process,
    private readonly model: Model,
    private readonly emit: Emit,
  ) {
    this.#name = `C${number + 1}`;
  }

  #with(change: Partial<Process>): World {
    return {
      ...this.world,
      processes: replaced(this.world.processes, this.number, { ...this.process, ...change }),
    };
  }

  start(): void {
    const { world, model, process } = this;
    if (process.instance !== null) return;
    const minimum = world.keySwitch?.generation ?? 0;
    if (!model.rules.registersFirst) {
      if (process.read === null)
        this.emit(
          () => `${this.#name} starts and reads ${nameOf(world.vault)}, unregistered`,
          this.#with({ at: 'starting', read: world.vault }),
        );
      return;
    }
    if (!model.rules.registrationAndRequestExclude) {
      this.emit(
        () => `${this.#name} starts to register: it is told generation ${minimum}`,
        this.#with({ at: 'starting', minimum }),
      );
      return;
    }
    this.emit(
      () => `${this.#name} starts and registers: generation ${minimum} at least`,
      this.#registered(minimum),
    );
    if (!model.rules.readsBeforeServing && process.cache !== null)
      this.emit(() => `${this.#name} starts with ${nameOf(process.cache ?? world.vault)} from its cache`, {
        ...this.#registered(0, { at: 'serving', held: process.cache, cache: null }),
      });
  }

  #registered(minimum: number, more: Partial<Process> = {}): World {
    const { model, process, number } = this;
    const instance = commandInstance(null, {
      command: 'register',
      instance: at(INSTANCES, number),
      consumer: at(CONSUMERS, number),
      boot: BOOT,
    });
    const carried =
      instance !== null && process.ghost !== null && !model.rules.acknowledgementNamesTheBoot
        ? { ...instance, acknowledged: process.ghost.acknowledged }
        : instance;
    return this.#with({
      at: 'starting',
      minimum: model.rules.registrationNamesTheMinimum ? minimum : 0,
      instance: carried,
      ...(carried === instance ? {} : { ghost: null, ghostSaid: 0 }),
      ...more,
    });
  }

  live(): void {
    const { model, process } = this;
    const { scenario, rules } = model;
    if (process.instance === null) {
      const minimum = rules.registersFirst ? process.minimum : 0;
      const { at: standing } = process;
      // A new registration knows of no acknowledgement yet.
      const said = process.held === null ? process.said : this.#says(process.held);
      if (rules.registersFirst || standing === 'serving')
        this.emit(() => `${this.#name} is registered`, this.#registered(minimum, { at: standing, said }));
      if (rules.registersFirst) {
        if (scenario.consumersFail) this.#die();
        return;
      }
    }
    this.#hear();
    this.#read();
    if (process.read !== null) this.#install(process.read);
    if (
      process.at === 'starting' &&
      scenario.cachedStart &&
      process.cache !== null &&
      process.cache.generation >= process.minimum
    )
      this.#serveFromCache(process.cache);
    if (process.at === 'serving') {
      if (scenario.requests) this.#request();
      this.#drained();
    }
    if (scenario.partitions) this.#partition();
    if (scenario.consumersFail) this.#die();
  }

  #followed(): Followed {
    const { held, minimum } = this.process;
    return { installed: asGeneration(held?.generation ?? 0), minimum: asGeneration(minimum) };
  }

  /** Announcements and heartbeats' answers name the generation; late and doubled ones say nothing new. */
  #hear(): void {
    const { world, process, model } = this;
    const { keySwitch } = world;
    if (keySwitch === null || !keySwitch.announced || process.cutOff) return;
    const { generation } = keySwitch;
    const { minimum } = hear(this.#followed(), generation);
    if (minimum === process.minimum) return;
    const said = model.rules.acknowledgesAfterTheSwitch ? process.said : process.said | (1 << generation);
    this.emit(() => `${this.#name} hears of generation ${generation}`, this.#with({ minimum, said }));
  }

  #read(): void {
    const { world, process, model } = this;
    const { vault, lateVault } = world;
    if (process.read !== null || process.instance === null) return;
    const held = process.held?.generation ?? 0;
    const due =
      process.at === 'starting' || isBehind(this.#followed()) || process.fenced || this.#isRefused();
    const polls =
      model.scenario.consumersPoll && (vault.generation !== held || lateVault.generation !== held);
    if (!due && !polls) return;
    const tell = (shown: Shown) =>
      `${nameOf(shown)}, ${shown.generation === 0 ? 'by hand' : `generation ${shown.generation}`}`;
    if (vault.generation !== held || process.at === 'starting')
      this.emit(
        () => `${this.#name} reads the vault: ${tell(vault)}`,
        this.#with({ read: vault }),
        due ? {} : TROUBLE,
      );
    if (lateVault !== vault && !process.fenced)
      this.emit(
        () => `${this.#name} reads a lagging replica: ${tell(lateVault)}`,
        this.#with({ read: lateVault }),
        TROUBLE,
      );
  }

  #isRefused(): boolean {
    const { held } = this.process;
    return held !== null && !isAccepted(this.world, held);
  }

  #install(read: Shown): void {
    const { process, model } = this;
    const { rules } = model;
    const followed = this.#followed();
    const generation = asGeneration(read.generation);
    const isForeign = read.generation === 0;
    const judged = judge(followed, isForeign ? { kind: 'foreign' } : { kind: 'published', generation });
    const installs =
      judged === 'install' ||
      (isForeign
        ? !rules.installsOnlyTagged
        : !rules.installsOnlyHigher && generation !== followed.installed);
    if (!installs) {
      this.emit(() => `${this.#name} does not install what it read`, this.#with({ read: null }));
      return;
    }
    const next: Partial<Process> = {
      at: 'serving',
      held: read,
      read: null,
      minimum: install(followed, generation).minimum,
      fenced: process.instance !== null && process.instance.leaseUntil !== FAR,
      abandoned: false,
      cache: null,
    };
    this.emit(
      () => `${this.#name} installs ${nameOf(read)}, generation ${read.generation}`,
      this.#with({ ...next, said: this.#says(read) }),
    );
  }

  /** What it will have said once this key is in use. */
  #says(held: Shown): number {
    const { process, model } = this;
    const { request } = process;
    if (held.generation === 0) return process.said;
    const landed = request === null || request.generation >= held.generation;
    const may = landed || !model.rules.acknowledgesWhenDrained || model.scenario.unseenRequests;
    return may ? process.said | (1 << held.generation) : process.said;
  }

  #serveFromCache(cache: Shown): void {
    const held = cache;
    this.emit(
      () => `${this.#name} serves with ${nameOf(cache)} from its cache`,
      this.#with({ at: 'serving', held, cache: null, said: this.#says(held) }),
    );
  }

  #request(): void {
    const { world, process } = this;
    const { held, request } = process;
    if (held === null) return;
    if (request === null) {
      this.emit(
        () => `${this.#name} sends a request signed with ${nameOf(held)}`,
        this.#with({ request: held }),
        TROUBLE,
      );
      return;
    }
    const breach: Breach | null =
      isAccepted(world, request) || wasKilledByStranger(world, request) || process.abandoned
        ? null
        : { invariant: 'I3', detail: `a request of ${this.#name} signed with ${nameOf(request)} is refused` };
    const said =
      held.generation === 0 || sameKey(held, request) ? process.said : process.said | (1 << held.generation);
    this.emit(() => `the request of ${this.#name} ends`, this.#with({ request: null, said }), { breach });
  }

  /** What it named as the end of its drain has come: nothing older is under way, it knows. */
  #drained(): void {
    const { process } = this;
    const { instance, held, request } = process;
    if (instance === null || instance.drainedAt === null || instance.drainedAt <= LONG_AGO) return;
    if (request !== null && held !== null && request.generation < held.generation) return;
    this.emit(
      () => `the drain of ${this.#name} is over`,
      this.#with({ instance: { ...instance, drainedAt: null } }),
    );
  }

  #partition(): void {
    const { process } = this;
    const { instance } = process;
    if (instance === null) return;
    if (!process.cutOff) {
      this.emit(() => `${this.#name} is cut off from the notifier`, this.#with({ cutOff: true }), TROUBLE);
      return;
    }
    if (instance.leaseUntil === FAR && this.#mayLapse())
      this.emit(
        () => `the lease of ${this.#name} ends, and it lives`,
        this.#with({ instance: { ...instance, leaseUntil: LONG_AGO }, fenced: process.at === 'serving' }),
        TROUBLE,
      );
    const back = commandInstance(instance, { command: 'heartbeat', boot: BOOT });
    // If it was left out of an answer, its key is good for as long as it may go without reading, and no longer.
    const { keySwitch } = this.world;
    const leftOut =
      keySwitch?.answer?.outcome === 'acknowledged' && keySwitch.generation > (process.held?.generation ?? 0);
    const fenced = process.fenced && leftOut;
    this.emit(
      () => `a heartbeat of ${this.#name} arrives again`,
      this.#with({ cutOff: false, instance: back, fenced }),
    );
  }

  /** It reads from its first unanswered heartbeat on, so its lease does not end before its first reading. */
  #mayLapse(): boolean {
    const { keySwitch } = this.world;
    if (!this.model.rules.rereadsWhenLapsed || keySwitch === null || keySwitch.publishedAt > LONG_AGO)
      return true;
    return hasReread(this.process, keySwitch.generation);
  }

  #die(): void {
    const { process, model, number } = this;
    if (process.ghost !== null) return; // a bound: one registration of an earlier boot
    const { budget } = this.world;
    if (budget.deaths === 0) return;
    const { instance, held } = process;
    const keepsCache = model.scenario.cachedStart || !model.rules.readsBeforeServing;
    this.emit(
      () => `${this.#name} dies`,
      {
        ...this.#with({
          ...OFF,
          ghost:
            instance === null
              ? null
              : { ...instance, instance: at(GHOSTS, number), boot: EARLIER_BOOT, drainedAt: null },
          ghostSaid: process.said,
          cache: keepsCache ? held : null,
        }),
        budget: { ...budget, deaths: Math.max(budget.deaths - 1, Math.min(budget.deaths, -1)) },
      },
      TROUBLE,
    );
  }

  /** Acknowledgements travel on their own: late, doubled, in any order, or never. */
  beHeard(): void {
    const { process, model } = this;
    if (process.ghost !== null)
      this.emit(
        () => `the registration of the dead ${this.#name} is over`,
        this.#with({ ghost: null, ghostSaid: 0 }),
      );
    if (model.scenario.silent && this.number === 0) return;
    for (let number = 1; number <= model.scenario.mostGenerations; number += 1) {
      if ((process.said & (1 << number)) !== 0) this.#acknowledge(process.instance, 'instance', number, BOOT);
      if ((process.ghostSaid & (1 << number)) !== 0)
        this.#acknowledge(process.ghost, 'ghost', number, EARLIER_BOOT);
    }
  }

  #acknowledge(known: Process['instance'], as: 'instance' | 'ghost', number: number, boot: string): void {
    if (known === null) return;
    const { world, model } = this;
    const published = world.keySwitch?.generation ?? 0;
    const names = model.rules.acknowledgementNamesTheGeneration ? number : published;
    const unseen = model.scenario.unseenRequests && model.rules.drainIsNamed && as === 'instance';
    const after = commandInstance(known, {
      command: 'acknowledge',
      boot,
      generation: asGeneration(names),
      drainedAt: unseen && known.acknowledged < names ? DRAINED : null,
      published: asGeneration(published),
    });
    if (after === known) return;
    const ahead = decideAhead(world.ring, { generation: names, who: this.#name }, NOW);
    const next = this.#with({ [as]: after });
    this.emit(
      () =>
        `the notifier hears that ${this.#name}${as === 'ghost' ? ' (its earlier boot)' : ''} uses generation ${number}`,
      names > published && ahead.accepted ? record(next, ...ahead.events) : next,
    );
  }
}
