import { run, type Defaults } from './run.js';

/** Runs the command as this process: its arguments, its output, SIGTERM and SIGINT, its exit code. */
export async function runAsProcess(defaults: Defaults = {}): Promise<void> {
  const signalled = new Promise<void>((told) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        told();
      });
    }
  });
  process.exitCode = await run(
    process.argv.slice(2),
    {
      say: (line) => process.stdout.write(`${line}\n`),
      complain: (line) => process.stderr.write(`${line}\n`),
      stopped: signalled,
    },
    defaults,
  );
}
