// What the account and the vault do with a call, whoever still waits for it. Nothing fences it, nothing compares.
import { nameOf, printOf } from './keys.js';
import type { Breach, Emit, Model } from './moves.js';
import { isAccepted, sameKey, withVersion, type Call, type Process, type World } from './world.js';

export interface Executed {
  readonly world: World;
  readonly breach: Breach | null;
}

export function execute(world: World, call: Call, model: Model): Executed {
  return call.what === 'regenerate' ? regenerate(world, call, model) : publish(world, call, model);
}

/** The slot's key is replaced; the old one is dead at once, or as soon as the data plane knows. */
function regenerate(world: World, { slot }: Call, model: Model): Executed {
  const old = { slot, version: world.account[slot] };
  const { processes, ring } = world;
  const breaches: Breach[] = [];
  const waived = ring.rotation?.waived ?? [];
  const after = processes.map((process, index): Process => {
    const uses =
      (process.at === 'serving' && process.held !== null && sameKey(process.held, old)) ||
      (process.request !== null && sameKey(process.request, old));
    if (!uses) return process;
    if (process.abandoned || waived.includes(`c${index}` as (typeof waived)[number]))
      return process.abandoned ? process : { ...process, abandoned: true };
    if (!wasKilledByStranger(world, old))
      breaches.push({
        invariant: 'I1',
        detail: `${nameOf(old)} is regenerated while C${index + 1} uses it`,
      });
    return process;
  });
  if (world.vault.generation > 0 && sameKey(world.vault, old))
    breaches.push({ invariant: 'I2', detail: `${nameOf(old)} is regenerated while the vault hands it out` });
  return { world: { ...replaceKey(world, slot, model), processes: after }, breach: breaches[0] ?? null };
}

/** Also what a stranger does in the portal. */
export function replaceKey(world: World, slot: Call['slot'], { scenario }: Model): World {
  const version = world.account[slot] + 1;
  const account = withVersion(world.account, slot, version);
  return {
    ...world,
    account,
    plane: scenario.latePlane ? world.plane : withVersion(world.plane, slot, version),
    lateList: scenario.lateLists ? world.lateList : withVersion(world.lateList, slot, version),
  };
}

function publish(world: World, { slot, version, generation }: Call, { scenario }: Model): Executed {
  const shown = { slot, version, generation };
  const { vault } = world;
  let breach: Breach | null = null;
  if (generation < vault.generation)
    breach = {
      invariant: 'I4',
      detail: `the vault goes back from generation ${vault.generation} to ${generation}`,
    };
  else if (generation === vault.generation && !sameKey(vault, shown))
    breach = {
      invariant: 'I4',
      detail: `generation ${generation} names ${nameOf(vault)} and ${nameOf(shown)}`,
    };
  else if (!isAccepted(world, shown) && !wasKilledByStranger(world, shown))
    breach = { invariant: 'I2', detail: `${nameOf(shown)} becomes current, and the account refuses it` };
  return { world: { ...world, vault: shown, lateVault: scenario.lateVault ? vault : shown }, breach };
}

export function wasKilledByStranger(
  world: World,
  { slot, version }: Pick<Call, 'slot' | 'version'>,
): boolean {
  return world.killedByStrangers.includes(printOf(slot, version));
}

export function tellCall({ what, slot, version, generation }: Call): string {
  return what === 'regenerate'
    ? `the regeneration of ${slot}`
    : `the publication of ${nameOf({ slot, version })} as generation ${generation}`;
}

/** Calls in limbo, and replicas that catch up. */
export function azureMoves(world: World, model: Model, emit: Emit): void {
  world.limbo.forEach((call, index) => {
    const rest = world.limbo.filter((_, other) => other !== index);
    const executed = execute({ ...world, limbo: rest }, call, model);
    emit(() => `late: ${tellCall(call)} executes, nobody waits for it`, executed.world, {
      trouble: true,
      breach: executed.breach,
    });
    emit(() => `${tellCall(call)} will never execute`, { ...world, limbo: rest });
  });
  for (const slot of ['key1', 'key2'] as const) {
    const version = world.account[slot];
    if (world.plane[slot] !== version)
      emit(() => `the data plane learns of ${nameOf({ slot, version })}`, {
        ...world,
        plane: withVersion(world.plane, slot, version),
      });
    if (world.lateList[slot] !== version)
      emit(() => `every list shows ${nameOf({ slot, version })}`, {
        ...world,
        lateList: withVersion(world.lateList, slot, version),
      });
  }
  if (world.lateVault !== world.vault)
    emit(() => `every replica of the vault shows generation ${world.vault.generation}`, {
      ...world,
      lateVault: world.vault,
    });
}
