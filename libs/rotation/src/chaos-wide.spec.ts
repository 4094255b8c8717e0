// The same with people who ask for rotations of every scope at any moment, also while a regeneration of ours is in
// doubt, and with strangers who touch whatever they like. 200 seeds take 4 s. Set TWINKEY_CHAOS_SEEDS=20000 for a
// thorough look (15 minutes) after a change of the plan.
import { describe, expect, it } from '@jest/globals';
import { live } from './testing/troubled-world.js';

const seeds = Number(process.env['TWINKEY_CHAOS_SEEDS'] ?? 200);

/** What broke first, if anything. */
function breachIn(seed: number): string | null {
  try {
    live(seed, 'wide');
    return null;
  } catch (error) {
    return `seed ${seed}: ${(error as Error).message}`;
  }
}

describe('a world in which people interfere at the worst moments', () => {
  it(`completes every rotation, interrupts nobody and retires every key asked for, in ${seeds} seeds`, () => {
    const broken = Array.from({ length: seeds }, (_, seed) => breachIn(seed)).filter(
      (breach) => breach !== null,
    );
    expect(broken).toEqual([]);
  }, 3_600_000);
});
