// The tree of commands. What a command does is loaded when it runs: `twinkey --help` loads commander only.
import { Command, Option } from 'commander';
import { addAgents } from './agents.js';
import type { AskOptions, RotateOptions } from './commands/ask.js';
import type { ReplayOptions } from './commands/replay.js';
import type { ListOptions } from './commands/rotations.js';
import type { Session } from './commands/session.js';
import { addConsumers } from './consumers.js';
import { addInstallations } from './installations.js';
import { OUTPUTS, parseDuration, parseUrl, usageFailure, type GlobalOptions } from './settings.js';
import { addWebhooks } from './webhooks.js';

const ROTATION_STATES = ['asked', 'running', 'waiting', 'halted', 'completed', 'refused'];

export function createProgram(): Command {
  const program = new Command('twinkey')
    .description('Rotates the two keys of Azure AI services accounts without interrupting anyone.')
    .addOption(new Option('-o, --output <format>', 'how to print').choices(OUTPUTS).default('table'))
    .addOption(
      new Option('--url <url>', 'where the console is')
        .env('TWINKEY_URL')
        .default('http://127.0.0.1:4700')
        .argParser(parseUrl),
    )
    .addOption(
      new Option(
        '--timeout <duration>',
        'how long to wait: for an answer (else 10s), or for the outcome of what is watched (else for ever)',
      ).argParser(parseDuration),
    )
    .option('-q, --quiet', 'data only, no talk on stderr')
    .option('--no-color', 'no colours; so does the variable NO_COLOR')
    .allowExcessArguments(true)
    .action(async () => {
      const [unknown] = program.args;
      if (unknown !== undefined)
        throw usageFailure(`There is no command "${unknown}".`, 'It is not in the list.');
      const { status } = await import('./commands/status.js');
      await status(await session());
    });

  const session = async (): Promise<Session> => {
    const { sessionFor } = await import('./commands/session.js');
    return sessionFor(program.opts<GlobalOptions>());
  };

  program
    .command('status')
    .description('the fleet at a glance, and what needs attention (this is what `twinkey` alone does)')
    .action(async () => {
      const { status } = await import('./commands/status.js');
      await status(await session());
    });

  addAccounts(program, session);
  addRotations(program, session);
  addConsumers(program, session);
  addAsking(program, session);
  addDeadLetters(program, session);
  addWebhooks(program);
  addAgents(program);
  addInstallations(program);
  return program;
}

type OpenSession = () => Promise<Session>;

function addAccounts(program: Command, session: OpenSession): void {
  const accounts = program.command('accounts').description('the accounts under care');
  accounts
    .command('list')
    .description('all accounts with their state, the published key and the consumers on it')
    .action(async () => {
      const { listAccounts } = await import('./commands/accounts.js');
      await listAccounts(await session());
    });
  accounts
    .command('show')
    .description('one account: settings, keys as fingerprints, consumers, latest rotations')
    .argument('<name>', 'the name of the account; resource-group/name where names repeat')
    .action(async (name: string) => {
      const { showAccount } = await import('./commands/accounts.js');
      await showAccount(await session(), name);
    });
}

function addRotations(program: Command, session: OpenSession): void {
  const rotations = program.command('rotations').description('rotations, past and present');
  rotations
    .command('list')
    .description('rotations, newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(ROTATION_STATES))
    .option('--account <name>', 'only those of this account')
    .option('--limit <number>', 'at most so many', '50')
    .action(async (options: ListOptions) => {
      const { listRotations } = await import('./commands/rotations.js');
      await listRotations(await session(), options);
    });
  rotations
    .command('show')
    .description('one rotation: its steps and everything that happened')
    .argument('<rotation>', 'its id, or the beginning of it')
    .action(async (id: string) => {
      const { showRotation } = await import('./commands/rotations.js');
      await showRotation(await session(), id);
    });
  rotations
    .command('explain')
    .description('what a rotation waits for, what happens if nobody acts, and what one can do')
    .argument('<rotation>', 'its id, or the beginning of it')
    .action(async (id: string) => {
      const { explainRotation } = await import('./commands/rotations.js');
      await explainRotation(await session(), id);
    });
  rotations
    .command('watch')
    .description('what happens in a rotation, live, until it is completed or halted')
    .argument('<rotation>', 'its id, or the beginning of it')
    .action(async (id: string) => {
      const { watch } = await import('./commands/rotations.js');
      await watch(await session(), id);
    });
}

function addAsking(program: Command, session: OpenSession): void {
  program
    .command('rotate')
    .description('rotate the keys of an account now')
    .argument('<account>', 'the name of the account; resource-group/name where names repeat')
    .option('--half', 'only the key that is not in use')
    .option(
      '--emergency',
      'a key has leaked: retire it before everything else, with the deadline that the policy has for this',
    )
    .addOption(new Option('--slot <slot>', 'the slot of the leaked key').choices(['key1', 'key2']))
    .option('--reason <text>', 'why; recorded in the audit')
    .option('--wait', 'print each step as it happens, until the rotation is completed or halted')
    .action(async (account: string, options: RotateOptions) => {
      const { rotate } = await import('./commands/ask.js');
      await rotate(await session(), account, options);
    });
  program
    .command('replay')
    .description('take halted rotations up again where they stand')
    .argument('[rotations...]', 'their ids, or the beginnings of them')
    .option('--failed', 'all rotations that are halted')
    .option('--since <when>', 'with --failed: only those halted since then, as 24h or 2026-03-02T08:00:00Z')
    .option('--dry-run', 'only show where each would go on, and whether anybody can be interrupted by it')
    .option('--reason <text>', 'why; recorded in the audit')
    .option('--wait', 'of a single one: print each step as it happens, until it is completed or halted')
    .action(async (rotations: string[], options: ReplayOptions) => {
      const { replay } = await import('./commands/replay.js');
      await replay(await session(), rotations, options);
    });
  program
    .command('halt')
    .description('stop a rotation until it is replayed; both keys keep working')
    .argument('<rotation>', 'its id, or the beginning of it')
    .option('--reason <text>', 'why; recorded in the audit')
    .action(async (rotation: string, options: AskOptions) => {
      const { halt } = await import('./commands/ask.js');
      await halt(await session(), rotation, options);
    });
  program
    .command('waive')
    .description('excuse a consumer from acknowledging in a rotation; its calls may be refused')
    .argument('<rotation>', 'its id, or the beginning of it')
    .argument('<consumer>', 'the name under which the consumer is registered')
    .requiredOption('--reason <text>', 'why; recorded in the audit')
    .option('--wait', 'print each step as it happens, until the rotation is completed or halted')
    .action(async (rotation: string, consumer: string, options: AskOptions) => {
      const { waive } = await import('./commands/ask.js');
      await waive(await session(), rotation, consumer, options);
    });
}

function addDeadLetters(program: Command, session: OpenSession): void {
  const dlq = program.command('dlq').description('dead letters: messages that nobody could handle');
  dlq
    .command('list')
    .description('the dead letters of all queues and fixed subscriptions')
    .action(async () => {
      const { listDeadLetters } = await import('./commands/dlq.js');
      await listDeadLetters(await session());
    });
  dlq
    .command('replay')
    .description('send dead letters to their entity again; a repeated message has no effect but delay')
    .argument('<entity>', 'a queue, or topic/subscription')
    .argument('[numbers...]', 'the numbers of the dead letters')
    .option('--all', 'all dead letters of the entity')
    .action(async (entity: string, numbers: string[], options: { all?: boolean }) => {
      const { replayDeadLetters } = await import('./commands/dlq.js');
      await replayDeadLetters(await session(), entity, numbers, options);
    });
}
