// The commands about consumers: who is declared, and who still shows keys.
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { DeclareOptions, WithdrawOptions } from './commands/consumers.js';
import type { KeylessOptions } from './commands/keyless.js';
import type { Session } from './commands/session.js';
import { parseDuration } from './settings.js';

type OpenSession = () => Promise<Session>;

const consumer = ['<consumer>', 'the name under which its instances register'] as const;

export function addConsumers(program: Command, session: OpenSession): void {
  const consumers = program.command('consumers').description('who uses keys, and what was declared of them');
  consumers
    .command('list')
    .description('all consumers that are declared or were seen')
    .action(async () => {
      const { listConsumers } = await import('./commands/consumers.js');
      await listConsumers(await session());
    });
  consumers
    .command('show')
    .description('one consumer: what was declared of it, and how far it has moved on each account')
    .argument(...consumer)
    .action(async (name: string) => {
      const { showConsumer } = await import('./commands/consumers.js');
      await showConsumer(await session(), name);
    });
  consumers
    .command('declare')
    .description(
      'declare a consumer, or replace what was declared of it; what twinkey.yaml declares is left alone',
    )
    .argument(...consumer)
    .requiredOption('--owner <text>', 'whom to ask about it')
    .option('--account <name...>', 'the accounts that it uses; its instances may register for these only')
    .option('--minimum <number>', 'fewer live instances than this hold a key switch', parseCount)
    .option('--acknowledge-within <duration>', 'how long it has to acknowledge a new key', parseDuration)
    .addOption(
      new Option('--on-overdue <what>', 'by then: wait for a person, or leave it out').choices([
        'hold',
        'force',
      ]),
    )
    .option('--escalate-to <text>', 'who is to be told that it keeps a switch waiting')
    .option('--escalate-after <duration>', 'with --escalate-to: after how long', parseDuration)
    .option(
      '--subscription <name>',
      'it hears through a durable subscription of that name, and has no instances',
    )
    .option('--webhook <url>', 'it is told at that address, and has no instances')
    .addOption(
      new Option('--signature <kind>', 'with --webhook: how calls are signed (else ed25519)').choices([
        'ed25519',
        'hmac',
      ]),
    )
    .option('--secret <name>', 'with --signature hmac: the Key Vault secret that both sides share')
    .option('--reason <text>', 'why; recorded in the audit')
    .action(async (name: string, options: DeclareOptions) => {
      const { declareConsumer } = await import('./commands/consumers.js');
      await declareConsumer(await session(), name, options);
    });
  consumers
    .command('withdraw')
    .description('take back what was declared of a consumer; nobody waits for it to be there any more')
    .argument(...consumer)
    .option('--reason <text>', 'why; recorded in the audit')
    .action(async (name: string, options: WithdrawOptions) => {
      const { withdrawConsumer } = await import('./commands/consumers.js');
      await withdrawConsumer(await session(), name, options);
    });
  program
    .command('keyless')
    .description('whether the keys of an account may be switched off, and who still shows them')
    .argument('<account>', 'the name of the account; resource-group/name where names repeat')
    .option('--quiet-for <duration>', 'for how long nobody may have shown a key (else 1d)', parseDuration)
    .option(
      '--disable',
      'refuse unless it is safe, and print nothing but the command that switches the keys off; twinkey has no right to run it',
    )
    .action(async (account: string, options: KeylessOptions) => {
      const { keyless } = await import('./commands/keyless.js');
      await keyless(await session(), account, options);
    });
}

function parseCount(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}
