import { ExecTarget, runAgent } from '@twinkey/agent';
import { constants } from 'node:os';
import { asAgentFailure } from '../agent-failure.js';
import { type ExecFlags, readExecFlags } from '../exec-flags.js';
import { flagFailure } from '../flag-rules.js';
import { screenFor } from '../screen.js';
import type { GlobalOptions } from '../settings.js';

const PASSED_ON = [
  'SIGTERM',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
] as const;

/** A terminal sends these to everyone in front of it; passed on they would arrive twice. */
const FROM_TERMINALS: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/** What is left to say to the notifier must not keep the program's end from being seen. */
const LEAVE_WITHIN_MS = 5_000;

/** `twinkey exec -- command`: ends the process with the exit code of the command. */
export async function exec(
  options: GlobalOptions,
  command: readonly string[],
  flags: ExecFlags,
): Promise<void> {
  const plan = readExecFlags(flags);
  const [program = '', ...parameters] = command;
  if (program === '') {
    throw flagFailure(
      'There is no program to run.',
      'It stands behind --.',
      'Write: twinkey exec --env KEY=ACCOUNT -- program',
    );
  }
  const screen = screenFor(options);
  const target = new ExecTarget({ ...plan, command: program, parameters, env: process.env });
  const over = new AbortController();
  let code: number | undefined;
  const end = (with_: number): void => {
    code ??= with_;
    over.abort();
    setTimeout(() => process.exit(code), LEAVE_WITHIN_MS);
  };
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      if (process.stdin.isTTY && FROM_TERMINALS.includes(signal)) return;
      const isPassed = target.pass(signal);
      if (!isPassed && (signal === 'SIGTERM' || signal === 'SIGINT')) end(128 + constants.signals[signal]);
    });
  }
  void target.ended.then(end);
  try {
    await runAgent({
      consumer: plan.consumer,
      accounts: plan.accounts,
      target,
      goodbye: true, // the program has ended
      until: over.signal,
      tell: (line) => {
        screen.talk(`twinkey: ${line}`);
      },
      connection: { askAgainSeconds: plan.tryAgainMs / 1000 },
    });
  } catch (error) {
    if (!over.signal.aborted) throw asAgentFailure(error);
  }
  process.exit(code);
}
