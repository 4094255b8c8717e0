import { onOutboxAppended } from '@twinkey/journal';
import { type Background, type ServiceParts } from '@twinkey/service';
import { ConfigurationError } from '@twinkey/settings';
import { InvalidAllowList, readAllowList, type AllowList } from '@twinkey/webhook';
import { rounds } from '../rounds.js';
import type { Shell } from '../shell.js';
import type { Post } from './attempt.js';
import { Dispatcher } from './dispatcher.js';

/** What the webhooks of a notifier are configured with. */
export const WEBHOOK_VARIABLES = [
  'TWINKEY_WEBHOOK_ALLOW',
  'TWINKEY_WEBHOOK_SECRETS_DIR',
  'TWINKEY_WEBHOOK_TIMEOUT_SECONDS',
] as const;
export type WebhookVariables = (typeof WEBHOOK_VARIABLES)[number];

const FORGET_EVERY_MS = 60 * 60 * 1000;

/** The webhooks of one notifier; Nest hands it to controllers under its own name. */
export class Webhooks {
  readonly dispatcher: Dispatcher;

  constructor(
    shell: Shell,
    readonly post: Post,
  ) {
    this.dispatcher = new Dispatcher(shell, post);
  }
}

/** Reads what the environment says about webhooks. */
export function webhooksOf(shell: Shell, { config }: ServiceParts<WebhookVariables>): Webhooks {
  return new Webhooks(shell, {
    allow: allowListIn(config.webhookAllow),
    secretsFolder: config.webhookSecretsDir,
    limitMs: config.webhookTimeoutSeconds * 1000,
    chance: Math.random,
  });
}

/** Sends what is owed: after each commit that said something, and in rounds what such a hint was missing for. */
export function sendWebhooks(
  { dispatcher }: Webhooks,
  roundMs: number,
  { database, log }: Pick<ServiceParts, 'database' | 'log'>,
): readonly Background[] {
  let stopListening: () => void = () => undefined;
  return [
    {
      name: 'webhook attempts',
      start: () => {
        stopListening = onOutboxAppended(database, dispatcher.hint);
      },
      stop: async () => {
        stopListening();
        await dispatcher.close();
      },
    },
    rounds('webhooks', roundMs, () => dispatcher.pass(), log),
    rounds('old webhooks', FORGET_EVERY_MS, () => dispatcher.forget(), log),
  ];
}

function allowListIn(text: string): AllowList {
  try {
    return readAllowList(text);
  } catch (error) {
    if (!(error instanceof InvalidAllowList)) throw error;
    throw new ConfigurationError('notifier', [
      { name: 'TWINKEY_WEBHOOK_ALLOW', problem: `cannot be read: ${error.message}` },
    ]);
  }
}
