// The commands that put keys in place for programs that cannot be changed. They talk to no console.
import { type Command, Option } from 'commander';
import type { AgentFlags } from './agent-flags.js';
import type { ExecFlags } from './exec-flags.js';
import type { GlobalOptions } from './settings.js';

const all = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const consumer = (): Option =>
  new Option('--consumer <name>', 'the name under which the program is registered').env('TWINKEY_CONSUMER');

const tryAgain = (): Option =>
  new Option(
    '--try-again <duration>',
    'after how long a key is tried again that could not be put in place',
  ).default('60s');

const readiness = (command: Command): Command =>
  command
    .option('--ready-command <command>', 'for a shell; the program uses the new key when it ends with 0')
    .option('--ready-url <url>', 'the program uses the new key when this is answered with 2xx')
    .addOption(new Option('--ready-within <duration>', 'how long that may take').default('60s'));

export function addAgents(program: Command): void {
  readiness(
    program
      .command('agent')
      .description(
        'keep keys current in a file or a Secret for programs that cannot be changed, and acknowledge them when they use them',
      )
      .addOption(consumer())
      .option('--account <account>', 'an account by name or ARM id; may be repeated', all)
      .option('--key <name>', 'the name of the key there, NAME or NAME=ACCOUNT; may be repeated', all)
      .option('--out <file>', 'the file to keep the key in; replaced in one piece')
      .addOption(new Option('--format <format>', 'of the file').choices(['raw', 'env', 'json']))
      .option('--mode <mode>', 'of the file, octal (else 0600)')
      .option('--signal <signal>', 'tells the program to read the file again: HUP, USR1, …')
      .option('--pid-file <file>', 'where the process id of the program is found')
      .option('--pid <number>', 'the process id of the program')
      .option(
        '--drain <duration>',
        'how long the program may use an older key after it was told, or after the file was written (else 30s)',
      )
      .option('--kubernetes-secret <secret>', 'the Secret to keep keys in, NAMESPACE/NAME, instead of a file')
      .option(
        '--restart <workload>',
        'what reads the Secret when it starts, KIND/NAME: deployment, statefulset or daemonset; may be repeated',
        all,
      )
      .addOption(
        new Option(
          '--rollout-within <duration>',
          'how long a restart may take before people are told',
        ).default('10m'),
      ),
  )
    .addOption(tryAgain())
    .option('--goodbye', 'the program ends together with the agent, so no lease has to bridge a restart')
    .action(async (flags: AgentFlags) => {
      const { agent } = await import('./commands/agent.js');
      await agent(program.opts<GlobalOptions>(), flags);
    });

  readiness(
    program
      .command('exec')
      .description(
        'run a program with keys in its environment, and start it anew when a key changes; ends with its exit code',
      )
      .argument('<command...>', 'the program and its arguments, behind --')
      .addOption(consumer())
      .option('--account <account>', 'an account by name or ARM id; may be repeated', all)
      .option(
        '--env <name>',
        'the variable for the key of an account, NAME or NAME=ACCOUNT; may be repeated',
        all,
      )
      .addOption(
        new Option(
          '--grace <duration>',
          'how long the older process may take to end before it is killed',
        ).default('30s'),
      )
      .option('--overlap', 'start the new process first, and end the older one when the new one is ready'),
  )
    .addOption(
      new Option(
        '--settle <duration>',
        'without a way to ask: a process is ready when it has lived so long',
      ).default('5s'),
    )
    .addOption(tryAgain())
    .action(async (command: string[], flags: ExecFlags) => {
      const { exec } = await import('./commands/exec.js');
      await exec(program.opts<GlobalOptions>(), command, flags);
    });
}
