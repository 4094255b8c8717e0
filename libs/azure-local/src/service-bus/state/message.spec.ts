import { describe, expect, it } from '@jest/globals';
import * as put from '../amqp/put.js';
import { DecodeError } from '../amqp/reader.js';
import { writeMessage } from './message-out.js';
import { readBatch, readMessage } from './message.js';

const section = (code: number, value: put.Put) =>
  put.bytesOf(
    put.described((to) => {
      to.u8(0x53);
      to.u8(code);
    }, value),
  );

const properties = section(
  0x73,
  put.list([put.string('id'), undefined, undefined, put.string('subject'), undefined, put.ulong(5)]),
);
const application = section(0x74, put.stringMap({ a: put.int(1), b: put.string('x') }));
const body = section(0x77, put.double(1.5));
const footer = section(0x78, put.map([[put.symbol('x-crc'), put.uint(9)]]));
const bare = Buffer.concat([properties, application, body, footer]);
const whole = Buffer.concat([
  section(0x70, put.list([put.bool(true), put.ubyte(7), put.uint(60_000), undefined, put.uint(3)])),
  section(
    0x72,
    put.map([
      [put.symbol('x-opt-partition-key'), put.string('p')],
      [put.symbol('x-opt-sequence-number'), put.long(77)],
    ]),
  ),
  bare,
]);

describe('a message', () => {
  it('goes out with the bytes of its bare message unchanged', () => {
    const message = readMessage(whole);
    const out = writeMessage(message, 2, { sequence: 1 });
    expect(out.subarray(out.length - bare.length).equals(bare)).toBe(true);
    const again = readMessage(out);
    expect(again.header).toEqual({ durable: true, priority: 7, ttlMs: 60_000 });
    // The sender's own copy of what the broker assigns is not kept.
    expect([...message.annotations.keys()]).toEqual(['x-opt-partition-key']);
    expect(again.property('subject')).toBe('subject');
    expect(again.body).toBe(1.5);
  });

  it('keeps its body, footer and other properties when some are modified', () => {
    const message = readMessage(whole)
      .withApplicationProperties(
        new Map([
          ['b', put.bytesOf(put.bool(true))],
          ['a', undefined],
        ]),
      )
      .withProperties({ groupId: put.string('s') });
    expect(Object.fromEntries(message.applicationProperties)).toEqual({ b: true });
    expect(message.sessionId).toBe('s');
    expect(message.property('correlationId')).toBe(5);
    expect(message.messageId).toBe('id');
    expect(message.bare.subarray(message.bare.length - footer.length - body.length)).toEqual(
      Buffer.concat([body, footer]),
    );
  });

  it('gains sections that it lacked', () => {
    const message = readMessage(body)
      .withApplicationProperties(new Map([['a', put.bytesOf(put.int(1))]]))
      .withProperties({ messageId: put.string('new') });
    expect(message.messageId).toBe('new');
    expect(Object.fromEntries(message.applicationProperties)).toEqual({ a: 1 });
    expect(message.body).toBe(1.5);
  });

  it('is taken out of a batch', () => {
    const batch = Buffer.concat([
      properties,
      section(0x75, put.binary(whole)),
      section(0x75, put.binary(body)),
    ]);
    expect(readBatch(batch).map((message) => message.messageId)).toEqual(['id', undefined]);
  });

  it.each([
    ['sections out of order', Buffer.concat([body, properties])],
    ['a section that is no section', section(0x60, put.nothing)],
    ['properties that are no list', section(0x73, put.uint(1))],
    ['application properties that are no map', section(0x74, put.uint(1))],
    ['bytes that are no AMQP', Buffer.from('hello')],
  ])('is refused with %s', (_name, bytes) => {
    expect(() => readMessage(bytes)).toThrow(DecodeError);
  });

  it('that was accepted can always be changed and delivered, however damaged', () => {
    let accepted = 0;
    for (let at = 0; at < whole.length; at++)
      for (const value of [0, 0x40, 0x45, 0x53, 0xa1, 0xc1, 0xd0, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        let message;
        try {
          message = readMessage(damaged);
        } catch (error) {
          if (error instanceof DecodeError) continue;
          throw error;
        }
        accepted++;
        const changed = message
          .withApplicationProperties(new Map([['why', put.bytesOf(put.string('x'))]]))
          .withProperties({ to: put.string('y') });
        const again = readMessage(writeMessage(changed, 1, {}));
        if (again.applicationProperties.get('why') !== 'x') throw new Error(`lost with ${value} at ${at}`);
      }
    expect(accepted).toBeGreaterThan(100);
  });
});
