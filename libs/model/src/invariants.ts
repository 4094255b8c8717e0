// What must hold in every state, and what "complete" means. What a single move may break is judged where the move is
// made: I1 and I4 in `azure.ts`, I5, I6 and I9 in `rotator.ts`.
import { wasKilledByStranger } from './azure.js';
import { nameOf } from './keys.js';
import type { Breach, Invariant } from './moves.js';
import { isAccepted, sameKey, type Call, type World } from './world.js';

const STANDING = [vaultWorks, everyoneWorks, publishedIsUntouched, acknowledgedIsTrue] as const;

/** The first invariant that does not hold, but for those that are given up for the sake of an experiment. */
export function breachIn(world: World, givenUp: readonly Invariant[] = []): Breach | null {
  for (const holds of STANDING) {
    const breach = holds(world);
    if (breach !== null && !givenUp.includes(breach.invariant)) return breach;
  }
  return null;
}

function vaultWorks(world: World): Breach | null {
  const { vault } = world;
  if (vault.generation === 0 || isAccepted(world, vault) || wasKilledByStranger(world, vault)) return null;
  return { invariant: 'I2', detail: `the vault hands out ${nameOf(vault)}, which the account refuses` };
}

function everyoneWorks(world: World): Breach | null {
  for (const [number, { at, held, abandoned }] of world.processes.entries()) {
    if (at !== 'serving' || held === null || abandoned) continue;
    if (isAccepted(world, held) || wasKilledByStranger(world, held)) continue;
    return {
      invariant: 'I3',
      detail: `C${number + 1} serves with ${nameOf(held)}, which the account refuses`,
    };
  }
  return null;
}

function publishedIsUntouched(world: World): Breach | null {
  const { vault, account } = world;
  const slots = new Set<Call['slot']>();
  for (const { at, call } of world.rotators)
    if (at === 'sent' && call?.what === 'regenerate') slots.add(call.slot);
  for (const call of world.limbo) if (call.what === 'regenerate') slots.add(call.slot);
  if (slots.size === 0) return null;
  if (slots.size === 2) return { invariant: 'I6', detail: 'regenerations of both slots are in flight' };
  const current = { slot: vault.slot, version: account[vault.slot] };
  if (vault.generation > 0 && slots.has(vault.slot) && sameKey(vault, current))
    return {
      invariant: 'I6',
      detail: `a regeneration of ${vault.slot} is in flight, and the vault hands it out`,
    };
  return null;
}

function acknowledgedIsTrue({ processes }: World): Breach | null {
  for (const [number, { instance, held, at }] of processes.entries()) {
    // A version without tags has no generation; what it does shows elsewhere.
    if (instance === null || held === null || held.generation === 0 || at !== 'serving') continue;
    if (instance.acknowledged > held.generation)
      return {
        invariant: 'I7',
        detail: `C${number + 1} counts as using generation ${instance.acknowledged}, and holds ${held.generation}`,
      };
  }
  return null;
}

/** Nothing is owed: every rotation asked for has ended, and everyone uses what the vault shows. */
export function isComplete(world: World): boolean {
  const { ring, vault, processes, account } = world;
  const { published } = ring;
  if (published === null || ring.rotation !== null || vault.generation !== published.generation) return false;
  if (account[vault.slot] !== vault.version || !isAccepted(world, vault)) return false;
  return processes.every(
    ({ at, held }) => at === 'off' || (at === 'serving' && held?.generation === vault.generation),
  );
}
