import picocolors from 'picocolors';
import type { GlobalOptions, Output } from './settings.js';

type Colors = ReturnType<typeof picocolors.createColors>;

/** Where a command writes. Data goes to stdout, talk to stderr, so that pipes carry data only. */
export interface Screen {
  readonly output: Output;
  readonly paint: Colors;
  /** A line of what was asked for. */
  data(line: string): void;
  /** A line for the person in front of it; silent with `--quiet`. */
  talk(line: string): void;
}

export function screenFor({ output, color, quiet }: GlobalOptions): Screen {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const wanted = FORCE_COLOR ? FORCE_COLOR !== '0' : process.stdout.isTTY;
  return {
    output,
    paint: picocolors.createColors(color && !NO_COLOR && wanted),
    data: (line) => void process.stdout.write(`${line}\n`),
    talk: (line) => {
      if (!quiet) process.stderr.write(`${line}\n`);
    },
  };
}

const STATE_COLORS: Readonly<Record<string, 'green' | 'yellow' | 'red' | 'cyan' | 'dim'>> = {
  healthy: 'green',
  completed: 'green',
  running: 'cyan',
  rotating: 'cyan',
  asked: 'cyan',
  waiting: 'yellow',
  due: 'yellow',
  halted: 'red',
  escalated: 'red',
  drift: 'red',
  refused: 'red',
  withdrawn: 'dim',
};

export function paintState({ paint }: Screen, state: string): string {
  const color = STATE_COLORS[state];
  return color === undefined ? state : paint[color](state);
}

/** Prints a list as the output option says; `row` and `name` are asked only if they are shown. */
export function printList<Item>(
  screen: Screen,
  items: readonly Item[],
  { whole, name, table }: { whole: unknown; name: (item: Item) => string; table: () => readonly string[] },
): void {
  switch (screen.output) {
    case 'json':
      screen.data(JSON.stringify(whole, null, 2));
      return;
    case 'ndjson':
      for (const item of items) screen.data(JSON.stringify(item));
      return;
    case 'name':
      for (const item of items) screen.data(name(item));
      return;
    case 'table':
      for (const line of table()) screen.data(line);
      return;
  }
}
