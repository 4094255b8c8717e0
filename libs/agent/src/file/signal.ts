import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { Refused } from '../target.js';

/** The program that is told to read its key again. */
export interface Addressee {
  readonly signal: NodeJS.Signals;
  /** Its process id, or the file that it writes it to. */
  readonly pid: number | { readonly file: string };
}

/** `HUP` and `SIGHUP` are the same; undefined: there is no such signal. */
export function signalNamed(text: string): NodeJS.Signals | undefined {
  const name = `SIG${text.trim().toUpperCase().replace(/^SIG/, '')}`;
  return name in constants.signals ? (name as NodeJS.Signals) : undefined;
}

/** Sends the signal. `absent`: no such program runs. A Refused when it may run and cannot be told. */
export async function tell({ signal, pid }: Addressee): Promise<'told' | 'absent'> {
  const found = typeof pid === 'number' ? pid : await pidIn(pid.file);
  if (found === undefined) return 'absent';
  try {
    process.kill(found, signal);
    return 'told';
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ESRCH') return 'absent';
    throw new Refused(`${signal} cannot be sent to process ${found} (${code})`, { cause: error });
  }
}

async function pidIn(file: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new Refused(`the pid file ${file} cannot be read (${codeOf(error)})`, { cause: error });
  }
  // 0 and negative numbers are groups of processes, 1 is where a container or the machine began.
  const pid = /^\s*([1-9][0-9]{0,9})\s*$/.exec(text)?.[1];
  if (pid === undefined) throw new Refused(`the pid file ${file} does not hold a process id`);
  return Number(pid);
}

export function codeOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
