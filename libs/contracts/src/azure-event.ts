// What Azure Event Grid delivers into the queue `azure-events`: somebody wrote a secret, somebody regenerated a key.
// Both of Event Grid's schemas are read; all other events are none of our business. Like every message they only say
// "look again": nothing in them is believed.
import { z } from 'zod';
import { describeProblem } from './message.js';
import { AccountId } from './vocabulary.js';

/** The queue to which subscriptions of Event Grid deliver. */
export const AZURE_EVENTS = 'azure-events';

export type AzureEvent = {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
} & (
  | {
      readonly is: 'secret-written';
      readonly vaultUrl: string;
      readonly name: string;
      readonly version: string;
    }
  | { readonly is: 'key-regenerated'; readonly account: AccountId }
  | { readonly is: 'something-else'; readonly type: string }
);

export type ReadAzureEvents =
  | { readonly ok: true; readonly events: readonly AzureEvent[] }
  | { readonly ok: false; readonly problem: string };

const cloudEvent = z
  .object({ specversion: z.literal('1.0'), id: z.string().min(1), type: z.string().min(1) })
  .extend({ time: z.string(), data: z.unknown() })
  .transform(({ id, type, time, data }) => ({ id, type, time, data }));

const eventGridEvent = z
  .object({ id: z.string().min(1), eventType: z.string().min(1), eventTime: z.string(), data: z.unknown() })
  .transform(({ id, eventType, eventTime, data }) => ({ id, type: eventType, time: eventTime, data }));

const envelope = z.union([cloudEvent, eventGridEvent]);

/** Azure spells the same fields with a small and a large first letter, depending on the page. */
const smallFirst = (data: unknown): unknown =>
  typeof data === 'object' && data !== null
    ? Object.fromEntries(
        Object.entries(data).map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), value]),
      )
    : data;

const secretWritten = z.preprocess(smallFirst, z.object({ id: z.url(), version: z.string().optional() }));
const actionDone = z.preprocess(smallFirst, z.object({ resourceUri: z.string(), operationName: z.string() }));

/** Reads a delivered body: one event, or a list of them. */
export function readAzureEvents(body: unknown): ReadAzureEvents {
  const events: AzureEvent[] = [];
  for (const one of Array.isArray(body) ? (body as unknown[]) : [body]) {
    const outer = envelope.safeParse(one);
    if (!outer.success) return { ok: false, problem: describeProblem(outer.error) };
    const read = eventOf(outer.data);
    if (typeof read === 'string') return { ok: false, problem: read };
    events.push(read);
  }
  return { ok: true, events };
}

function eventOf({ id, type, time, data }: z.infer<typeof envelope>): AzureEvent | string {
  const at = Date.parse(time);
  if (Number.isNaN(at)) return 'time: must be a moment';
  const other = { id, at, is: 'something-else', type } as const;
  switch (type) {
    case 'Microsoft.KeyVault.SecretNewVersionCreated': {
      const read = secretWritten.safeParse(data);
      if (!read.success) return `data.${describeProblem(read.error)}`;
      const { origin, pathname } = new URL(read.data.id);
      const [, kind, name, version] = pathname.split('/');
      if (kind?.toLowerCase() !== 'secrets' || name === undefined) return other;
      return {
        id,
        at,
        is: 'secret-written',
        vaultUrl: origin,
        name,
        version: version ?? read.data.version ?? '',
      };
    }
    case 'Microsoft.Resources.ResourceActionSuccess': {
      const read = actionDone.safeParse(data);
      if (!read.success) return `data.${describeProblem(read.error)}`;
      const operation = 'microsoft.cognitiveservices/accounts/regeneratekey/action';
      if (read.data.operationName.toLowerCase() !== operation) return other;
      const account = AccountId.safeParse(accountIn(read.data.resourceUri));
      return account.success ? { id, at, is: 'key-regenerated', account: account.data } : other;
    }
    default:
      return other;
  }
}

/** The uri of an action names the account, or the action below it. */
function accountIn(uri: string): string {
  return uri.replace(/\/regenerateKey(\/action)?\/?$/i, '');
}
