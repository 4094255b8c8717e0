import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Clock, REAL_CLOCK } from '../clock.js';
import { type Readiness, untilReady } from '../readiness.js';
import { generationsOf, type Keys, Refused, type Target } from '../target.js';
import { writeAtomically } from './atomic-write.js';
import { type Format, formatted, type Names } from './format.js';
import { BEGUN, type FileProgress, type FileWishes, nextFileStep } from './plan.js';
import { type Addressee, codeOf, tell } from './signal.js';

export interface FileOptions {
  readonly out: string;
  readonly format: Format;
  readonly names: Names;
  readonly mode: number;
  readonly addressee?: Addressee | undefined;
  readonly readiness?: Readiness | undefined;
  readonly drainMs: number;
}

/** A file that a program reads its key from, told by a signal or on its own. */
export function fileTarget(options: FileOptions, clock: Clock = REAL_CLOCK): Target {
  const { out, format, names, mode, addressee, readiness, drainMs } = options;
  const wishes: FileWishes = { signals: addressee !== undefined, checks: readiness !== undefined, drainMs };
  return {
    where: `file ${out}`,
    async place(keys, signal) {
      const text = formatted(keys, format, names);
      const before = await readOrNothing(out);
      let progress: FileProgress = {
        ...BEGUN,
        holds: before === undefined ? 'nothing' : before === text ? 'wanted' : 'other',
        wasThere: before !== undefined,
      };
      if (progress.holds === 'wanted') progress = { ...progress, rightSince: clock.now() };
      while (!signal.aborted) {
        const step = nextFileStep(progress, wishes, clock.now());
        switch (step.do) {
          case 'write':
            await writeOrRefuse(out, text, mode);
            progress = { ...progress, holds: 'wanted', rightSince: clock.now() };
            break;
          case 'signal':
            progress = { ...progress, signalled: await signalled(addressee, clock) };
            break;
          case 'check':
            await checked(readiness, keys, clock, signal);
            progress = { ...progress, isReady: true };
            break;
          case 'wait':
            await clock.wait(step.ms, signal);
            break;
          case 'done':
            return;
        }
      }
    },
  };
}

/** Undefined, or what is wrong with the place: found at the start, not at the first key. */
export async function obstacleTo(out: string): Promise<string | undefined> {
  const folder = dirname(out);
  try {
    if (!(await stat(folder)).isDirectory()) return `${folder} is no folder`;
    return (await stat(out)).isDirectory() ? `${out} is a folder` : undefined;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') return `${out} cannot be looked at (${codeOf(error)})`;
    return (await stat(folder).catch(() => undefined)) === undefined
      ? `the folder ${folder} does not exist`
      : undefined;
  }
}

async function readOrNothing(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Refused(`${file} cannot be read (${codeOf(error)})`);
  }
}

async function writeOrRefuse(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeAtomically(file, text, mode);
  } catch (error) {
    throw new Refused(`${file} cannot be written (${codeOf(error)})`);
  }
}

async function signalled(addressee: Addressee | undefined, clock: Clock): Promise<FileProgress['signalled']> {
  if (addressee === undefined) return 'no';
  const said = await tell(addressee);
  return said === 'absent' ? { absentAt: clock.now() } : { at: clock.now() };
}

async function checked(
  readiness: Readiness | undefined,
  keys: Keys,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (readiness === undefined) return;
  await untilReady(readiness, {
    clock,
    signal,
    surroundings: { TWINKEY_GENERATIONS: generationsOf(keys) },
  });
}
