import type { Table } from './persist.js';
import { codeOf, type Log } from './plugin.js';

/**
 * Opens something on the port that was asked for, else on the one it had last time, else on a free one; and
 * remembers it, because clients of a stopped emulator come back to the same address.
 */
export async function onItsPort<T extends { readonly port: number }>(
  table: Table<number>,
  name: string,
  asked: number | undefined,
  log: Log,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const opened = await choose(table.get(name), asked, name, log, open);
  if (table.get(name) !== opened.port) table.write([name, opened.port]);
  return opened;
}

async function choose<T>(
  last: number | undefined,
  asked: number | undefined,
  name: string,
  log: Log,
  open: (port: number) => Promise<T>,
): Promise<T> {
  const port = asked ?? last ?? 0;
  try {
    return await open(port);
  } catch (error) {
    if (!isTaken(error)) throw error;
    if (asked !== undefined && asked !== 0) throw new PortTaken(name, asked, error);
    log.warn(`Port ${port} of ${name} is taken; another one is used from now on.`);
    return await open(0);
  }
}

export class PortTaken extends Error {
  override readonly name = 'PortTaken';

  constructor(what: string, port: number, cause: unknown) {
    super(
      `Port ${port} for ${what} is taken. Free it, name another one, or leave it out to get a free one.`,
      { cause },
    );
  }
}

function isTaken(error: unknown): boolean {
  return ['EADDRINUSE', 'EACCES'].includes(codeOf(error) ?? '');
}
