// One seed after the other over one server, and what they came to in all.
import { testDatabase } from '@twinkey/testing';
import { Server } from './server.js';
import { KINDS, type Counts } from './faults.js';
import { makeTables } from './tables.js';
import { World, type Outcome, type WorldOptions } from './world.js';

export interface Sum {
  seeds: number;
  virtualMs: number;
  completed: number;
  calls: number;
  refused: number;
  regenerations: number;
  publications: number;
  events: number;
  readonly counts: Counts;
}

export function nothing(): Sum {
  return {
    seeds: 0,
    virtualMs: 0,
    completed: 0,
    calls: 0,
    refused: 0,
    regenerations: 0,
    publications: 0,
    events: 0,
    counts: {},
  };
}

export function add(sum: Sum, { virtualMs, completed, tally, events, counts }: Outcome): void {
  sum.seeds += 1;
  sum.virtualMs += virtualMs;
  sum.completed += completed;
  sum.calls += tally.calls;
  sum.refused += tally.refused;
  sum.regenerations += tally.regenerations;
  sum.publications += tally.publications;
  sum.events += events;
  for (const [kind, times] of Object.entries(counts) as [keyof Counts, number][])
    sum.counts[kind] = (sum.counts[kind] ?? 0) + times;
}

/** Kinds of fault that never happened: what was run says nothing of them. */
export function neverHappened({ counts }: Sum): readonly string[] {
  return [...KINDS, 'message-reordered' as const].filter((kind) => (counts[kind] ?? 0) === 0);
}

export interface Runner {
  run(options: Omit<WorldOptions, 'server'>): Promise<Outcome>;
  /** As many seeds as there are, in order as they end, until `enough` says so. */
  runAll(
    seeds: Iterable<number>,
    options: Omit<WorldOptions, 'server' | 'seed'>,
    take: (outcome: Outcome) => void,
    enough?: () => boolean,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Worlds that live side by side: while one waits for the server, another one goes on. */
const LANES = 4;

/** Databases of its own on the server that specs share. */
export async function openRunner(): Promise<Runner> {
  const databases = await Promise.all(
    Array.from({ length: LANES }, () => testDatabase({ prepare: makeTables })),
  );
  const servers = databases.map(({ url }) => new Server(url));
  const [first] = servers;
  if (first === undefined) throw new Error('there is a lane');
  return {
    run: (options) => new World({ ...options, server: first }).run(),
    runAll: async (seeds, options, take, enough = () => false) => {
      const waiting = seeds[Symbol.iterator]();
      const lane = async (server: Server): Promise<void> => {
        while (!enough()) {
          const next = waiting.next();
          if (next.done === true) return;
          take(await new World({ ...options, seed: next.value, server }).run());
        }
      };
      await Promise.all(servers.map(lane));
    },
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
      for (const database of databases) await database.drop();
    },
  };
}

/** The seeds from `from` on. */
export function* seedsFrom(from: number, count: number): Generator<number> {
  for (let seed = from; seed < from + count; seed += 1) yield seed;
}
