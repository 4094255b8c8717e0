import { parseArgs, type ParseArgsConfig } from 'node:util';
import { Misuse } from './misuse.js';

type Options = NonNullable<ParseArgsConfig['options']>;

interface Reading<O extends Options> {
  readonly args: string[];
  readonly options: O;
  readonly allowPositionals: true;
}

/** What a command line says: its options, and the words between them. */
export type Said<O extends Options> = Pick<
  ReturnType<typeof parseArgs<Reading<O>>>,
  'values' | 'positionals'
>;

/** Throws {@link Misuse} for what it does not know. */
export function readArguments<const O extends Options>(args: readonly string[], options: O): Said<O> {
  try {
    return parseArgs<Reading<O>>({ args: [...args], options, allowPositionals: true });
  } catch (cause) {
    const { message } = cause as Error; // node's own, and a good sentence
    const [first = ''] = message.split('\n');
    throw new Misuse(`${first.replace(/\.?$/, '.')} See --help.`, { cause });
  }
}

/** Throws {@link Misuse} for more words than the command takes. */
export function noMoreThan(count: number, words: readonly string[]): void {
  const extra = words[count];
  if (extra !== undefined) throw new Misuse(`Unexpected argument '${extra}'. See --help.`);
}

export function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Misuse(`${flag} ${text}: a whole number of 0 or more was expected.`);
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `2h`, `30d`, `500ms`, in milliseconds. */
export function duration(flag: string, text: string): number {
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined)
    throw new Misuse(`${flag} ${text}: a time such as 500ms, 90s, 15m, 2h or 30d was expected.`);
  return Math.round(Number(count) * (units[unit] ?? 0));
}
