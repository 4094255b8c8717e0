// The envelope of every message: CloudEvents 1.0 in structured JSON. Inside `.v1` a type only ever grows;
// readers ignore fields that they do not know.
import { z } from 'zod';

/** The content type of every message on the bus. */
export const MESSAGE_CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** Who sends a message: `twinkey/rotator` … */
export type Source = `twinkey/${'scheduler' | 'rotator' | 'notifier' | 'console' | 'consumer'}`;

const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal('application/json').optional(),
  traceparent: z.string().optional(),
  data: z.unknown(),
});

/** One kind of message: its type, where it travels and what it carries. */
export interface Contract<Data> {
  readonly type: string;
  /** The queue or topic; `key-changed` is the prefix of the sharded topics. */
  readonly entity: string;
  readonly data: z.ZodType<Data>;
}

/** A message as it travels. `id` is the Service Bus message id, `subject` the account's name. */
export interface Message<Data> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly time: string;
  readonly datacontenttype?: 'application/json' | undefined;
  readonly traceparent?: string | undefined;
  readonly data: Data;
}

export function defineMessage<Data>(contract: Contract<Data>): Contract<Data> {
  return contract;
}

/**
 * Builds a message. `id` must be derived from what the message means (rotation, generation, kind), so that
 * saying the same thing twice gives the same id. Throws a ZodError when the data breaks the contract.
 */
export function writeMessage<Data>(
  contract: Contract<Data>,
  {
    id,
    source,
    subject,
    time,
    traceparent,
    data,
  }: { id: string; source: Source; subject?: string; time: Date; traceparent?: string; data: Data },
): Message<Data> {
  const message = {
    specversion: '1.0',
    id,
    source,
    type: contract.type,
    ...(subject === undefined ? {} : { subject }),
    time: time.toISOString(),
    datacontenttype: 'application/json',
    ...(traceparent === undefined ? {} : { traceparent }),
    data: contract.data.parse(data),
  } as const;
  envelope.parse(message);
  return message;
}

export type Read<Data> =
  { readonly ok: true; readonly message: Message<Data> } | { readonly ok: false; readonly problem: string };

/** Reads a received body. A refusal names each field and what is wrong with it, never a value. */
export function readMessage<Data>(contract: Contract<Data>, body: unknown): Read<Data> {
  const outer = envelope.safeParse(body);
  if (!outer.success) return { ok: false, problem: describeProblem(outer.error) };
  if (outer.data.type !== contract.type) return { ok: false, problem: `type: must be ${contract.type}` };
  const data = contract.data.safeParse(outer.data.data);
  if (!data.success) return { ok: false, problem: `data.${describeProblem(data.error)}` };
  return { ok: true, message: { ...outer.data, data: data.data } };
}

/** One line per fault: `field: rule`. */
export function describeProblem(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
}
