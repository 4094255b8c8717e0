// A line per account with its step. On a terminal the lines are redrawn in place; elsewhere each change is a line.
import colors from 'picocolors';
import type { AccountLine, RotationLine } from './console-client.js';

export interface Frame {
  readonly accounts: readonly AccountLine[];
  /** The latest rotation of each account. */
  readonly rotations: Readonly<Record<string, RotationLine | undefined>>;
  readonly footer: string;
}

export class LiveView {
  #drawn = 0;
  readonly #told = new Map<string, string>();

  constructor(private readonly out: NodeJS.WriteStream) {}

  show(frame: Frame): void {
    if (this.out.isTTY) this.#redraw(frame);
    else this.#tellChanges(frame);
  }

  #redraw({ accounts, rotations, footer }: Frame): void {
    const lines = [...accounts.map((account) => lineOf(account, rotations[account.name])), '', footer];
    if (this.#drawn > 0) this.out.write(`\u001b[${this.#drawn}A`);
    this.out.write(lines.map((line) => `\u001b[2K${line}\n`).join(''));
    this.#drawn = lines.length;
  }

  #tellChanges({ accounts, rotations }: Frame): void {
    for (const account of accounts) {
      const state = stateOf(account, rotations[account.name]);
      if (this.#told.get(account.name) === state) continue;
      this.#told.set(account.name, state);
      this.out.write(`${account.name.padEnd(16)} ${state}\n`);
    }
  }
}

function stateOf({ step, published }: AccountLine, rotation: RotationLine | undefined): string {
  if (rotation === undefined)
    return published === null ? 'waiting for its first publication' : `${published.slot} in use`;
  if (rotation.state === 'completed')
    return `completed in ${rotation.seconds?.toFixed(1) ?? '?'} s, ${rotation.keysReplaced ?? 0} keys replaced`;
  if (rotation.state === 'halted') return `halted: ${rotation.halt?.reason ?? '?'}`;
  return step ?? rotation.step ?? 'requested';
}

function lineOf(account: AccountLine, rotation: RotationLine | undefined): string {
  const state = stateOf(account, rotation);
  const paint =
    rotation?.state === 'completed' ? colors.green : rotation?.state === 'halted' ? colors.red : colors.cyan;
  const live = account.consumers.reduce((sum, consumer) => sum + consumer.live, 0);
  const there = account.consumers.reduce((sum, consumer) => sum + consumer.acknowledged, 0);
  const published =
    account.published === null ? '-' : `${account.published.slot} g${account.published.generation}`;
  return `  ${account.name.padEnd(16)} ${published.padEnd(9)} ${`${there}/${live}`.padStart(5)}  ${paint(state)}`;
}
