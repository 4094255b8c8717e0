// The commands about webhooks. The notifier sends them and knows what became of them, so it is asked, not the console.
import { type Command, Option } from 'commander';
import type { LogOptions, WebhookOptions } from './commands/webhooks.js';
import { parseUrl, type GlobalOptions } from './settings.js';

const notifier = (): Option =>
  new Option('--notifier-url <url>', 'where the notifier is')
    .env('TWINKEY_NOTIFIER_URL')
    .default('http://127.0.0.1:4703')
    .argParser(parseUrl);

const consumer = ['<consumer>', 'the name under which it is declared'] as const;

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('consumers that are told by webhook');
  const options = () => program.opts<GlobalOptions>();
  webhooks
    .command('list')
    .description('the endpoints: how they stand, and what their receivers check signatures with')
    .addOption(notifier())
    .action(async (own: WebhookOptions) => {
      const { listWebhooks } = await import('./commands/webhooks.js');
      await listWebhooks(options(), own);
    });
  webhooks
    .command('log')
    .description('what an endpoint was sent, newest first, and what became of it')
    .argument(...consumer)
    .option('--attempts', 'each attempt, and why it failed')
    .option('--limit <number>', 'at most so many messages', '20')
    .addOption(notifier())
    .action(async (name: string, own: LogOptions) => {
      const { showLog } = await import('./commands/webhooks.js');
      await showLog(options(), own, name);
    });
  webhooks
    .command('test')
    .description('send a test, and say what was answered; an endpoint that was gone hears again')
    .argument(...consumer)
    .addOption(notifier())
    .action(async (name: string, own: WebhookOptions) => {
      const { sendTest } = await import('./commands/webhooks.js');
      await sendTest(options(), own, name);
    });
  webhooks
    .command('resend')
    .description('send a message once more, under the id that it had, and say what was answered')
    .argument(...consumer)
    .argument('[delivery]', 'the number of the message; else the latest one about a key')
    .addOption(notifier())
    .action(async (name: string, delivery: string | undefined, own: WebhookOptions) => {
      const { resend } = await import('./commands/webhooks.js');
      await resend(options(), own, name, delivery);
    });
}
