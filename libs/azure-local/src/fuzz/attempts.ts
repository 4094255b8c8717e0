import { chanceOf, type Chance } from './chance.js';

const whole = (name: string, otherwise: number): number => {
  const text = process.env[name];
  if (text === undefined || text === '') return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} is ${text}; it must be a whole number such as 2000.`);
  return Number(text);
};

/** Of all suites together; 2,000 in a few seconds. */
export const inputs = whole('FUZZ_COUNT', 2000);
/** One seed for every day, so that the tests of a commit are the same everywhere; the long form takes another. */
export const seed = whole('FUZZ_SEED', 1);

/** Malformed input had an effect that it must not have. */
export class Misbehaviour extends Error {
  override readonly name = 'Misbehaviour';
}

/** Longer than this for one input is a hang. */
export const patienceMs = 30_000;

export interface Attempts {
  /** What the inputs are for; the command that tries one again names it. */
  readonly what: string;
  /** How much of all inputs these are. */
  readonly share: number;
  /** Inputs under way at the same time. */
  readonly atOnce?: number;
  /** Throws {@link Misbehaviour}, or anything else, which is one too. */
  readonly attempt: (chance: Chance) => Promise<void> | void;
}

/**
 * Tries the inputs of a seed, all or the one that `FUZZ_INPUT` names, and tells how many were tried. Fails with the
 * first misbehaviour and the command that shows it again.
 */
export async function tryAll({ what, share, atOnce = 1, attempt }: Attempts): Promise<number> {
  const only = whole('FUZZ_INPUT', -1);
  const last = only >= 0 ? only + 1 : Math.max(1, Math.round(inputs * share));
  let next = Math.max(only, 0);
  let tried = 0;
  const work = async () => {
    while (next < last) {
      const input = next;
      next += 1;
      try {
        await attempt(chanceOf(seed, input));
      } catch (error) {
        next = last;
        throw new Error(describe(what, input, error), { cause: error });
      }
      tried += 1;
      // Timers and other inputs have their turn, so that what an input breaks shows near it.
      if (tried % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, last - next) }, work));
  return tried;
}

function describe(what: string, input: number, error: unknown): string {
  const why =
    error instanceof Misbehaviour ? error.message : String(error instanceof Error ? error.stack : error);
  const again = `FUZZ_SEED=${seed} FUZZ_INPUT=${input} npm run check:fuzz -- --testNamePattern '${what}'`;
  return `${what}: input ${input} of seed ${seed}: ${why}\nTo see it again: ${again}`;
}

/** Runs code that must refuse bad input in one way only, and in no time. */
export function refusesOrTakes(
  run: () => void,
  refusals: readonly (new (...args: never[]) => Error)[],
): void {
  const started = process.cpuUsage();
  try {
    run();
  } catch (error) {
    if (!refusals.some((refusal) => error instanceof refusal)) throw error;
  }
  // Processor time: on a busy machine the clock goes on while nothing runs.
  const { user, system } = process.cpuUsage(started);
  const tookMs = (user + system) / 1000;
  if (tookMs > 1000) throw new Misbehaviour(`it took ${Math.round(tookMs)} ms`);
}
