// What goes wrong by the clock: outages, deaths, and people. What goes wrong with a single call or message is decided
// where it passes.
import type { Chance } from './chance.js';
import type { Kind } from './faults.js';
import type { World } from './world.js';

type Happening = (world: World, chance: Chance) => unknown;

/** `false`: there was nothing to which it could happen. */
const HAPPENINGS: Partial<Record<Kind, Happening>> = {
  'process-frozen': (world, chance) => {
    const role = chance.pick(['rotator', 'rotator', 'notifier', 'scheduler'] as const);
    const running = world.running(role);
    if (running.length === 0) return false;
    const actor = chance.pick(running);
    const ms = chance.magnitude(2_000, 180_000);
    world.story.tell(actor.name, `is frozen for ${seconds(ms)}`);
    actor.freeze(ms);
    return true;
  },
  'bus-outage': (world, chance) => {
    const { broker, timeline } = world;
    if (broker.down) return false;
    const ms = howLong(world, chance, 600_000);
    world.story.tell('world', `the bus is away for ${seconds(ms)}`);
    broker.down = true;
    timeline.after(
      ms,
      () => {
        broker.comeBack();
      },
      null,
    );
    return true;
  },
  'vault-outage': (world, chance) => {
    const { outages, timeline } = world;
    if (outages.vault) return false;
    const ms = howLong(world, chance, 600_000);
    world.story.tell('world', `Key Vault is away for ${seconds(ms)}`);
    outages.vault = true;
    timeline.after(
      ms,
      () => {
        outages.vault = false;
      },
      null,
    );
    return true;
  },
  'database-outage': (world, chance) => {
    const { database, timeline } = world;
    if (database.down) return false;
    const ms = howLong(world, chance, 240_000);
    world.story.tell('world', `the database is away for ${seconds(ms)}`);
    database.goDown();
    timeline.after(
      ms,
      () => {
        database.down = false;
      },
      null,
    );
    return true;
  },
  'consumer-crash': (world, chance) => {
    const [...instances] = world.instances;
    if (instances.length === 0) return false;
    chance.pick(instances).actor.die();
    return true;
  },
  'consumer-frozen': (world, chance) => {
    const [...instances] = world.instances;
    if (instances.length === 0) return false;
    const { actor } = chance.pick(instances);
    const ms = chance.magnitude(3_000, 300_000);
    world.story.tell(actor.name, `is frozen for ${seconds(ms)}`);
    actor.freeze(ms);
    return true;
  },
  'consumer-new': (world) => world.fleet.addInstance(),
  'consumer-silent': (world, chance) => {
    const [...instances] = world.instances;
    if (instances.length === 0) return false;
    const instance = chance.pick(instances);
    const ms = chance.magnitude(20_000, 1_200_000);
    world.story.tell(instance.actor.name, `reaches neither bus nor notifier for ${seconds(ms)}`);
    instance.cutUntil = world.timeline.now + ms;
    return true;
  },
  'consumer-vaultless': (world, chance) => {
    const [...instances] = world.instances;
    if (instances.length === 0) return false;
    const instance = chance.pick(instances);
    const ms = chance.magnitude(5_000, 600_000);
    world.story.tell(instance.actor.name, `cannot read the vault for ${seconds(ms)}`);
    instance.vaultlessUntil = world.timeline.now + ms;
    return true;
  },
  'hand-regeneration': (world, chance) => {
    const account = world.azure.account(chance.pick(world.settings.accounts));
    world.azure.regenerate(account, chance.pick(['key1', 'key2'] as const), 'hand', 0);
  },
  'hand-secret': (world, chance) => {
    const account = world.azure.account(chance.pick(world.settings.accounts));
    const value = chance.happens(0.7)
      ? account.keys[chance.pick(['key1', 'key2'] as const)]
      : 'written by somebody';
    world.azure.write(account, value, {}, true);
  },
  'people-rotate': (world, chance) => {
    world.people.rotate(chance.pick(world.settings.accounts));
  },
  'people-half': (world, chance) => {
    world.people.half(chance.pick(world.settings.accounts));
  },
  'people-emergency': (world, chance) => {
    world.people.emergency(chance.pick(world.settings.accounts));
  },
  'people-halt': (world, chance) => world.people.halt(chance.pick(world.settings.accounts)),
  'people-replay': (world, chance) => world.people.replay(chance.pick(world.settings.accounts)),
  'people-waive': (world, chance) => world.people.waive(chance.pick(world.settings.accounts)),
};

/** Has all of them happen for as long as the world is troubled. */
export function trouble(world: World): void {
  for (const kind of Object.keys(HAPPENINGS) as Kind[]) again(world, kind, world.chance.split(kind));
}

/** The times of a kind follow from its own dice: they stay as they are when something else changes. */
function again(world: World, kind: Kind, chance: Chance): void {
  const perHour = world.faults.weight(kind);
  if (perHour === 0) return;
  // A troubled world lasts a quarter of an hour: what it has at all shall happen in it.
  const ms = (-Math.log(1 - chance.next()) * 3_600_000) / (perHour * HASTE);
  world.timeline.after(
    ms,
    async () => {
      if (!world.faults.active) return;
      const happened = await HAPPENINGS[kind]?.(world, chance);
      if (happened !== false) world.faults.count(kind);
      again(world, kind, chance);
    },
    null,
  );
}

const HASTE = 4;

/** Mostly seconds to minutes, now and then an hour. */
function howLong(world: World, chance: Chance, usually: number): number {
  const ms = chance.happens(0.03) ? chance.between(1_800_000, 5_400_000) : chance.magnitude(3_000, usually);
  world.kindFrom = Math.max(world.kindFrom, world.timeline.now + Math.min(ms, 3_600_000));
  return ms;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
