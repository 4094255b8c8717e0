import { randomBytes } from 'node:crypto';
import type { IncomingLink, Received } from '../amqp/link.js';
import { accepted, declared, rejected } from '../amqp/performatives.js';
import { codeOf } from '../amqp/descriptors.js';
import { Fields } from '../amqp/fields.js';
import { DecodeError, Described } from '../amqp/reader.js';
import { asRefused, invalidArgument, notAllowed, notImplemented, Refused } from '../errors.js';
import { readIncoming } from './incoming.js';

const DECLARE = 0x31;
const DISCHARGE = 0x32;
const COORDINATOR_CREDIT = 100;
const MAX_COORDINATION_BYTES = 65_536;
/** As the service allows. */
const MOST_PARTS = 100;

/** A send or a settlement that waits for the end of its transaction. */
export interface Part {
  /** Throws `Refused` when it could not be done now. */
  check(): void;
  apply(): void;
}

/**
 * The transactions of one connection. What belongs to one is only remembered, and is done together when it is
 * discharged: all of it in one turn, which is one frame of the journal, or none. A transaction whose connection or
 * coordinator link goes away is forgotten.
 */
export class Transactions {
  private readonly open = new Map<string, Part[]>();

  declare(): Buffer {
    const id = randomBytes(16);
    this.open.set(id.toString('hex'), []);
    return id;
  }

  /** Throws `Refused` when there is no such transaction, or the part cannot be done. */
  join(id: Buffer, part: Part): void {
    const parts = this.parts(id);
    if (parts.length >= MOST_PARTS)
      throw notAllowed(`A transaction has at most ${MOST_PARTS} messages and settlements`);
    part.check();
    parts.push(part);
  }

  /** Does all that belongs to the transaction, or forgets it. Throws `Refused`; then nothing was done. */
  discharge(id: Buffer, isFailed: boolean): void {
    const parts = this.parts(id);
    this.forget(id);
    if (isFailed) return;
    try {
      for (const part of parts) part.check();
    } catch (error) {
      throw new Refused('amqp:transaction:rollback', asRefused(error).description, 409);
    }
    for (const part of parts) part.apply();
  }

  forget(id: Buffer): void {
    this.open.delete(id.toString('hex'));
  }

  private parts(id: Buffer): Part[] {
    const parts = this.open.get(id.toString('hex'));
    if (parts === undefined)
      throw new Refused(
        'amqp:transaction:unknown-id',
        'The transaction was not declared, or it is over',
        404,
      );
    return parts;
  }
}

/** The link on which a client declares and discharges transactions. */
export function acceptCoordinator(
  link: IncomingLink,
  transactions: Transactions,
  host: { whenDurable(then: () => void): void },
): void {
  const own: Buffer[] = [];
  link.onMessage = (received) => {
    const { deliveryId, settled } = received;
    try {
      const { code, fields } = requestOf(received);
      if (code === DECLARE) {
        const id = transactions.declare();
        own.push(id);
        if (!settled) link.settle(deliveryId, declared(id));
        return;
      }
      transactions.discharge(fields.binary(0) ?? Buffer.alloc(0), fields.bool(1));
      host.whenDurable(() => {
        if (!settled) link.settle(deliveryId, accepted);
      });
    } catch (error) {
      const refused = error instanceof DecodeError ? invalidArgument(error.message) : asRefused(error);
      if (!settled) link.settle(deliveryId, rejected(refused));
    }
  };
  link.onDetach = () => {
    for (const id of own) transactions.forget(id);
  };
  link.accept({ credit: COORDINATOR_CREDIT, maxMessageSize: MAX_COORDINATION_BYTES });
}

function requestOf({ payload }: Received): { code: number; fields: Fields } {
  const { body } = readIncoming(payload);
  const code = body instanceof Described ? codeOf(body.descriptor) : undefined;
  if (!(body instanceof Described) || (code !== DECLARE && code !== DISCHARGE))
    throw notImplemented('a request to the coordinator other than declare and discharge');
  return { code, fields: Fields.from('a request to the coordinator', body.value) };
}
