import { AmqpMap, Uuid, type Value } from '../amqp/reader.js';
import { entityDisabled, invalidArgument, notAllowed } from '../errors.js';
import type { Broker, Entity } from '../state/broker.js';
import type { Status } from '../state/entity.js';
import type { Queue } from '../state/queue.js';

/** A request to `<entity>/$management`. */
export interface Request {
  readonly broker: Broker;
  readonly address: string;
  readonly entity: Entity;
  readonly body: AmqpMap;
  readonly now: number;
}

/** The queue or subscription that a request is about. */
export function queueOf({ entity }: Request): Queue {
  if (entity.kind === 'topic')
    throw notAllowed('Messages are received from a subscription, not from its topic');
  return entity.queue;
}

/** The store of messages behind an entity: of a topic, what it has scheduled. */
export function storeOf({ entity }: { readonly entity: Entity }): Queue {
  return entity.kind === 'queue' ? entity.queue : entity.topic.store;
}

export function isDisabled(status: Status, direction: 'SendDisabled' | 'ReceiveDisabled'): boolean {
  return status === 'Disabled' || status === direction;
}

/** Throws `Refused` when messages are not taken out of the entity at present. */
export function checkReceivable(entity: Entity, address: string): void {
  if (isDisabled(storeOf({ entity }).settings.status, 'ReceiveDisabled')) throw entityDisabled(address);
}

export function numbers(body: AmqpMap, name: string): number[] {
  return listed(body, name).map((value) => {
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw invalidArgument(`'${name}' holds something that is no number`);
    return Number(value);
  });
}

export function listed(body: AmqpMap, name: string): readonly Value[] {
  const value = body.get(name);
  if (!Array.isArray(value)) throw invalidArgument(`'${name}' is not an array`);
  return value as readonly Value[];
}

export function text(body: AmqpMap, name: string): string | undefined {
  const value = body.get(name);
  return typeof value === 'string' ? value : undefined;
}

export function number(body: AmqpMap, name: string, otherwise: number): number {
  const value = body.get(name);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : otherwise;
}

/** The first three groups of a .NET GUID are stored with their bytes reversed. */
export function swapped(token: Buffer): Buffer {
  const bytes = Buffer.from(token);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

export function lockKeys(body: AmqpMap): string[] {
  return listed(body, 'lock-tokens').map((token) => {
    if (!(token instanceof Uuid)) throw invalidArgument("'lock-tokens' holds something that is no uuid");
    return swapped(token.bytes).toString('latin1');
  });
}
