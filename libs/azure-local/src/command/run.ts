import { defaultDataDir, parseStart, serve, type Defaults } from './start.js';
import { usage } from './usage.js';
import { isVerb, runVerb } from './verbs.js';

export type { Defaults } from './start.js';

export interface Surroundings {
  readonly say: (line: string) => unknown;
  readonly complain: (line: string) => unknown;
  /** Resolves when it is time to end; also counts when that happens during the start. */
  readonly stopped: Promise<void>;
}

const theirs = ['Misuse', 'PortTaken', 'FolderInUse', 'ControlInvalid'];

/**
 * The command: starts an emulator and runs until told to stop, or does one thing to a running one. Answers the exit
 * code: 2 for a mistake of the caller's, 1 for anything else.
 */
export async function run(
  args: readonly string[],
  around: Surroundings,
  defaults: Defaults = {},
): Promise<number> {
  try {
    await act(args, around, defaults);
    return 0;
  } catch (error) {
    const isTheirs = error instanceof Error && theirs.includes(error.name);
    around.complain(
      error instanceof Error ? (isTheirs ? error.message : (error.stack ?? '')) : String(error),
    );
    return isTheirs ? 2 : 1;
  }
}

async function act(args: readonly string[], around: Surroundings, defaults: Defaults): Promise<void> {
  const [first = '', ...rest] = args;
  const dataDir = defaults.dataDir ?? defaultDataDir;
  if (isVerb(first)) {
    const text = await runVerb(first, rest, dataDir);
    if (text !== '') around.say(text);
    return;
  }
  const isAll = first === '--help' || first === '-h' || first === 'help';
  const settings = isAll ? 'help' : parseStart(first === 'start' ? rest : args, defaults);
  if (settings !== 'help') {
    await serve(settings, around);
    return;
  }
  if (isAll) around.say(`${usage.all}\n`);
  around.say(usage.start.replace('DEFAULT_DATA', dataDir));
}
