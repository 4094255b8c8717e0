// The CLI as a person runs it: a process of its own, pointed at the console of the stack.
import { fileURLToPath } from 'node:url';
import { runNode, type ProgramRun } from './run-node.js';

const bin = fileURLToPath(new URL('../../cli/bin/twinkey.mjs', import.meta.url));

export function twinkey(url: string, ...args: readonly string[]): Promise<ProgramRun> {
  return runNode([bin, ...args], { TWINKEY_URL: url });
}
