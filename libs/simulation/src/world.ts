// One world: everybody in it, from its first moment until all is done in a kind world after the troubled one.
import { topology } from '@twinkey/contracts';
import type { Actor } from './actor.js';
import { Azure } from './azure.js';
import { borrowGlobals } from './borrowed-globals.js';
import { Broker } from './broker.js';
import type { Bug } from './bugs.js';
import { Chance } from './chance.js';
import { WorldDatabase } from './database.js';
import type { Server } from './server.js';
import { isDone, leftBehind, loadRings } from './end.js';
import { Faults, type Counts, type Kind } from './faults.js';
import { Fleet } from './fleet.js';
import type { Instance } from './instance.js';
import { Judge } from './judge.js';
import { Network } from './network.js';
import { People } from './people.js';
import { dataPlane, type AzurePorts, type Outages } from './ports.js';
import { drawSettings, LIMBO_MS, TIMES, type WorldSettings } from './settings.js';
import { Story } from './story.js';
import { emptyTables } from './tables.js';
import { Timeline } from './timeline.js';
import { trouble } from './trouble.js';

export interface WorldOptions {
  readonly seed: number;
  readonly server: Server;
  /** Only these kinds of fault, whatever the seed draws. */
  readonly only?: readonly Kind[];
  readonly bug?: Bug;
  /** What happens besides, from the first moment on. */
  readonly besides?: (world: World) => void;
}

export interface Outcome {
  readonly seed: number;
  /** The promise that did not hold; null: all of them did. */
  readonly verdict: string | null;
  readonly story: readonly string[];
  readonly digest: string;
  readonly counts: Counts;
  readonly kinds: readonly Kind[];
  readonly virtualMs: number;
  readonly completed: number;
  readonly queries: number;
  readonly events: number;
  readonly tally: Judge['tally'];
}

/** Longer than everything that may be waited for in a kind world: deadlines, quiescence, patience, the line behind emergencies. */
const DONE_WITHIN_MS = 3 * 3_600_000;
const LOOK_EVERY_MS = 10_000;
const STORY_LINES = 80;

export class World {
  readonly timeline = new Timeline();
  readonly chance: Chance;
  readonly faults: Faults;
  readonly story: Story;
  readonly settings: WorldSettings;
  readonly database: WorldDatabase;
  readonly broker: Broker;
  readonly azure: Azure;
  readonly network: Network;
  readonly judge: Judge;
  readonly ports: AzurePorts;
  readonly outages: Outages = { vault: false, arm: false };
  readonly instances = new Set<Instance>();
  readonly fleet: Fleet;
  readonly people: People;
  readonly bug: Bug | undefined;
  readonly #besides: (world: World) => void;
  /** When the world becomes kind. */
  kindFrom: number;
  #isDone = false;

  constructor({ seed, server, only, bug, besides = () => undefined }: WorldOptions) {
    this.chance = new Chance(seed, 'world');
    this.bug = bug;
    this.#besides = besides;
    const kinds = bug?.needs ?? only;
    this.faults = new Faults(this.chance.split('faults'), kinds === undefined ? {} : { only: kinds });
    const isSkewed = this.faults.strikes('clocks-skewed');
    this.settings = drawSettings(this.chance, { isSkewed });
    this.kindFrom = this.timeline.now + this.settings.troubledMs;
    this.story = new Story(this.timeline);
    const { timeline, faults, story } = this;
    const dice = this.chance.split('ports');
    this.database = new WorldDatabase(server, timeline, dice, faults, this.drawSkew());
    this.broker = new Broker(timeline, dice, faults, story);
    this.azure = new Azure(timeline, this.chance, story);
    this.network = new Network(timeline, dice, faults);
    this.judge = new Judge(this);
    this.azure.witness = this.judge;
    this.broker.onText = (text, where) => {
      this.judge.read(text, where);
    };
    this.ports = {
      timeline,
      chance: dice,
      faults,
      story,
      azure: this.azure,
      outages: this.outages,
      limboMs: LIMBO_MS,
      staleMs: (TIMES.quiescenceSeconds - 10) * 1_000,
      planeLagMs: 8_000,
      onDoubt: (account, what) => {
        if (what === 'regeneration') this.judge.mayReplace(account.id, 1);
      },
    };
    if (bug?.statement !== undefined) this.database.bend = bug.statement;
    if (bug?.heartbeat !== undefined) this.network.bend = bug.heartbeat;
    this.database.forgetsIntents = bug?.forgetsIntents === true;
    this.fleet = new Fleet(this);
    this.people = new People(this);
  }

  /** How far a new process's clock is off. */
  drawSkew(): number {
    const { skewMs } = this.settings;
    return skewMs === 0 ? 0 : Math.round(this.chance.between(-skewMs, skewMs));
  }

  async run(): Promise<Outcome> {
    const { timeline, judge, chance } = this;
    await emptyTables(this.database.server);
    const dice = chance.split('random');
    timeline.random = () => dice.next();
    timeline.fetch = dataPlane(this.ports);
    const giveBack = borrowGlobals();
    try {
      await timeline.as(null, async () => {
        this.#begin();
        await timeline.run(() => this.#isDone || judge.verdict !== null);
        if (judge.verdict === null) await leftBehind(this);
      });
    } finally {
      timeline.as(null, () => {
        this.fleet.end();
      });
      giveBack();
    }
    return {
      seed: chance.seed,
      verdict: judge.verdict,
      story: this.story.last(STORY_LINES),
      digest: this.story.digest(),
      counts: this.faults.counts,
      kinds: this.faults.kinds,
      virtualMs: timeline.elapsed,
      completed: this.people.completed,
      queries: this.database.queries,
      events: timeline.events,
      tally: judge.tally,
    };
  }

  #begin(): void {
    const { timeline, judge, settings } = this;
    for (const { name, subscriptions } of topology({ shards: TIMES.keyChangedShards }).topics)
      this.broker.addTopic(name, subscriptions);
    for (const id of settings.accounts) {
      this.azure.add(id);
      judge.mayReplace(id, 2); // the scheduler asks for a first rotation
    }
    this.fleet.start();
    trouble(this);
    this.#besides(this);
    timeline.after(
      settings.troubledMs,
      () => {
        this.#becomeKind();
      },
      null,
    );
  }

  /** The process that runs under a name now. */
  running(role: Actor['role']): readonly Actor[] {
    return this.fleet.running(role);
  }

  #becomeKind(): void {
    const { timeline, story } = this;
    if (timeline.now < this.kindFrom) {
      timeline.after(
        this.kindFrom - timeline.now,
        () => {
          this.#becomeKind();
        },
        null,
      );
      return;
    }
    story.tell('world', 'is kind from here on');
    this.faults.active = false;
    this.database.down = false;
    this.outages.vault = false;
    if (this.broker.down) this.broker.comeBack();
    for (const instance of this.instances) {
      instance.cutUntil = 0;
      instance.vaultlessUntil = 0;
    }
    const giveUpAt = timeline.now + DONE_WITHIN_MS;
    const look = async (): Promise<void> => {
      const rings = await loadRings(this);
      const owed = await isDone(this, rings);
      if (owed === null) {
        this.#isDone = true;
        return;
      }
      if (timeline.now > giveUpAt) {
        this.judge.breach(`not done after ${DONE_WITHIN_MS / 3_600_000} kind hours: ${owed}`);
        return;
      }
      this.people.mend(rings);
      timeline.after(LOOK_EVERY_MS, look, null);
    };
    timeline.after(LOOK_EVERY_MS, look, null);
  }
}
