import { CommanderError, type Command } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.js';
import { Failure, fourLines } from './failure.js';
import { createProgram } from './program.js';
import { usageFailure } from './settings.js';

/** Runs one command line and returns its exit code. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const program = createProgram();
  // Our own four lines instead of commander's one.
  everyCommand(program, (command) => {
    command.exitOverride().configureOutput({ outputError: () => undefined });
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    const failure = asFailure(error);
    if (!failure) return EXIT.ok;
    process.stderr.write(fourLines(failure.lines));
    return failure.exitCode;
  }
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) everyCommand(child, visit);
}

/** `undefined` where commander "fails" only because it has printed the help that was asked for. */
function asFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    return usageFailure('The command is not complete.', 'One of the commands above must follow.');
  }
  const [what = ''] = error.message
    .replace(/^error: /, '')
    .replace(/\.$/, '')
    .split('\n');
  return usageFailure(
    `${what.charAt(0).toUpperCase()}${what.slice(1)}.`,
    'The command line is not understood.',
  );
}
