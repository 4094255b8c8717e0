import type { ServiceBusClient, ServiceBusMessageBatch, ServiceBusSender } from '@azure/service-bus';
import { PermanentFault } from '@twinkey/contracts';
import type { OutgoingMessage } from './bus.js';
import { toFault } from './faults.js';
import { toWire } from './wire.js';

/**
 * An AMQP session has a window of 2048 transfers; one that is full makes the SDK wait 30 s (2,000 sends at once
 * took 0.24 s, 4,000 took 32 s). This many keep any link busy.
 */
const MOST_IN_FLIGHT = 256;

interface Link {
  readonly sender: ServiceBusSender;
  readonly gate: Gate;
}

/** One sender link per entity, kept open: to open one costs four round trips. */
export class Senders {
  private readonly links = new Map<string, Link>();

  constructor(private readonly client: ServiceBusClient) {}

  async send(entity: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const [first, ...more] = messages;
    if (first === undefined) return;
    const link = this.linkTo(entity);
    try {
      if (more.length === 0) await link.gate.pass(() => link.sender.sendMessages(toWire(first)));
      else await sendInBatches(link, entity, messages);
    } catch (error) {
      throw toFault(error, entity);
    }
  }

  private linkTo(entity: string): Link {
    const open = this.links.get(entity);
    if (open !== undefined && !open.sender.isClosed) return open;
    const link = { sender: this.client.createSender(entity), gate: new Gate(MOST_IN_FLIGHT) };
    this.links.set(entity, link);
    return link;
  }
}

/** As few transfers as the broker's size limit allows, one after the other: the order stays. */
async function sendInBatches(
  { sender, gate }: Link,
  entity: string,
  messages: readonly OutgoingMessage[],
): Promise<void> {
  const flush = (batch: ServiceBusMessageBatch) => gate.pass(() => sender.sendMessages(batch));
  let batch = await sender.createMessageBatch();
  for (const message of messages) {
    const wire = toWire(message);
    if (batch.tryAddMessage(wire)) continue;
    if (batch.count > 0) {
      await flush(batch);
      batch = await sender.createMessageBatch();
      if (batch.tryAddMessage(wire)) continue;
    }
    throw new PermanentFault(
      'message-too-large',
      `The message ${message.id} to ${entity} is larger than the ${batch.maxSizeInBytes} bytes that Service Bus takes.`,
    );
  }
  await flush(batch);
}

/** Lets so many pass at a time; the others wait in the order in which they came. */
class Gate {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(places: number) {
    this.free = places;
  }

  async pass<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((go) => this.waiting.push(go));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next(); // hands its place over
    }
  }
}
