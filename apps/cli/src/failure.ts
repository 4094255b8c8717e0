import type { ExitCode } from './exit-codes.js';

/** What a person is told when a command did not do what it should: always these four. */
export interface FourLines {
  readonly what: string;
  readonly why: string;
  /** What state things are in: is anyone broken? */
  readonly state: string;
  readonly remedy: string;
}

/** Ends the command with four lines on stderr and an exit code. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(
    readonly exitCode: ExitCode,
    readonly lines: FourLines,
    options: { cause?: unknown } = {},
  ) {
    super(lines.what, options);
  }
}

export function fourLines({ what, why, state, remedy }: FourLines): string {
  return `error: ${what}\n  why: ${why}\nstate: ${state}\n   do: ${remedy}\n`;
}
