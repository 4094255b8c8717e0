import { Writer } from '../amqp/writer.js';
import type { Broker } from '../state/broker.js';
import { writeChange, writeEntity, writeLastSequence } from './records.js';

const nothing = (): undefined => undefined;

/** The state of a broker as the shortest sequence of records that leads to it. */
export function snapshot(broker: Broker): Buffer {
  const to = new Writer(65_536);
  for (const path of broker.paths()) {
    const entity = broker.record(path);
    if (entity !== undefined) writeEntity(to, entity);
  }
  for (const queue of broker.stores()) {
    writeLastSequence(to, queue);
    for (const [messageId, until] of queue.remembered)
      writeChange(to, { kind: 'seen', queue, messageId, until }, nothing);
    for (const [session, state] of queue.sessions.states)
      writeChange(to, { kind: 'session-state', queue, session, state }, nothing);
    for (const stored of queue.messages.values())
      writeChange(to, { kind: 'enqueued', targets: [stored] }, nothing);
    for (const stored of queue.lockedInOrder())
      if (stored.lock !== undefined) writeChange(to, { kind: 'locked', stored, lock: stored.lock }, nothing);
  }
  return to.take();
}
