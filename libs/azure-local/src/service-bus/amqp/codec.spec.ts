import { describe, expect, it, jest } from '@jest/globals';
import { Connection, type Wire } from './connection.js';
import { AMQP_HEADER, FrameCutter } from './frames.js';
import { readPerformative } from './performatives.js';
import * as put from './put.js';
import { AmqpMap, DecodeError, Described, Reader, Uuid } from './reader.js';

const back = (value: put.Put) => new Reader(put.bytesOf(value)).value();

/** Repeatable chance, so that a failure can be looked at again (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('a value', () => {
  it.each([
    ['null', put.nothing, null],
    ['true', put.bool(true), true],
    ['uint 0', put.uint(0), 0],
    ['uint 255', put.uint(255), 255],
    ['uint max', put.uint(0xffff_ffff), 0xffff_ffff],
    ['int', put.int(-5), -5],
    ['ubyte', put.ubyte(200), 200],
    ['ushort', put.ushort(60_000), 60_000],
    ['long', put.long(-(2 ** 53) + 1), -(2 ** 53) + 1],
    ['long beyond 2^53', put.longExact(-(2n ** 60n)), -(2n ** 60n)],
    ['ulong', put.ulong(2 ** 52), 2 ** 52],
    ['double', put.double(0.1), 0.1],
    ['timestamp', put.timestamp(1_700_000_000_123), new Date(1_700_000_000_123)],
    ['short text', put.string('ä'), 'ä'],
    ['long text', put.string('x'.repeat(300)), 'x'.repeat(300)],
    ['symbol', put.symbol('amqp:accepted:list'), 'amqp:accepted:list'],
    ['binary', put.binary(Buffer.alloc(256, 1)), Buffer.alloc(256, 1)],
    ['list', put.fullList([put.uint(1), put.nothing]), [1, null]],
    ['empty list', put.list([undefined, put.nothing]), []],
    ['array of longs', put.array64(0x81, [1, 2]), [1, 2]],
    ['array of symbols', put.symbols(['a', 'b']), ['a', 'b']],
    ['described', put.composite(0x24, []), new Described(0x24, [])],
    ['uuid', put.uuid(Buffer.alloc(16, 3)), new Uuid(Buffer.alloc(16, 3))],
  ])('comes back as it was written: %s', (_name, written, read) => {
    expect(back(written)).toEqual(read);
  });

  it('of a map is read when it is asked for', () => {
    const map = back(put.stringMap({ a: put.uint(1), b: put.string('two') }));
    if (!(map instanceof AmqpMap)) throw new Error('not a map');
    expect([...map.entries()]).toEqual([
      ['a', 1],
      ['b', 'two'],
    ]);
    expect([...map.encodedEntries()][0]).toEqual(['a', put.bytesOf(put.uint(1))]);
    expect(map.get('b')).toBe('two');
    expect(map.get('c')).toBeNull();
  });

  it.each([
    ['cut off', Buffer.from([0xa1, 5, 0x61])],
    ['of an unknown type', Buffer.from([0x3f])],
    ['a list of more items than bytes', Buffer.from([0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff])],
    ['an array of countless nothings', Buffer.from([0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x40])],
    ['a map with a key too many', Buffer.from([0xc1, 2, 1, 0x40])],
    ['nested without end', Buffer.alloc(4000)],
  ])('is refused when it is %s', (_name, bytes) => {
    expect(() => new Reader(bytes).value()).toThrow(DecodeError);
  });
});

describe('a stream of bytes', () => {
  it('is cut into the same frames however it arrives', () => {
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 13, 2, 0, 0, 7]), Buffer.from('hello')]);
    const stream = Buffer.concat([AMQP_HEADER, frame, frame, frame]);
    for (let size = 1; size <= stream.length; size++) {
      const cutter = new FrameCutter(512);
      const bodies: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        cutter.feed(stream.subarray(at, at + size));
        for (let unit = cutter.next(); unit !== undefined; unit = cutter.next())
          if ('body' in unit) bodies.push(`${unit.channel}${unit.body.toString()}`);
      }
      expect(bodies).toEqual(['7hello', '7hello', '7hello']);
    }
  });
});

/** A connection whose client is the test. */
function dial() {
  const written: Buffer[] = [];
  const log: string[] = [];
  let ended = false;
  const complaints: unknown[] = [];
  const wire: Wire = {
    write: (bytes) => {
      log.push('write');
      written.push(Buffer.from(bytes));
    },
    end: () => {
      ended = true;
    },
    destroy: () => {
      ended = true;
    },
  };
  const connection: Connection = new Connection(wire, {
    containerId: 'test',
    admits: () => true,
    attached: (link) => {
      if (link.direction === 'incoming') link.accept({ credit: 10, maxMessageSize: 1000 });
      else link.accept();
    },
    touched: () => undefined,
    record: () => log.push('record'),
    closed: () => undefined,
    complain: (_connection, error) => complaints.push(error),
  });
  const frames = () => {
    connection.flush();
    const cutter = new FrameCutter(65_536);
    for (const bytes of written) cutter.feed(bytes);
    const codes: number[] = [];
    for (let unit = cutter.next(); unit !== undefined; unit = cutter.next())
      if ('body' in unit) codes.push(readPerformative(unit.body).code);
    return codes;
  };
  return { connection, complaints, frames, log, isEnded: () => ended };
}

function frame(channel: number, body: put.Put): Buffer {
  const bytes = put.bytesOf(body);
  const header = Buffer.from([0, 0, 0, 0, 2, 0, 0, channel]);
  header.writeUInt32BE(8 + bytes.length);
  return Buffer.concat([header, bytes]);
}

const opening = Buffer.concat([
  AMQP_HEADER,
  frame(0, put.composite(0x10, [put.string('me')])),
  frame(0, put.composite(0x11, [undefined, put.uint(0), put.uint(100), put.uint(100)])),
  frame(
    0,
    put.composite(0x12, [
      put.string('link'),
      put.uint(0),
      put.bool(true),
      undefined,
      undefined,
      put.composite(0x28, [put.string('q')]),
      put.composite(0x29, []),
    ]),
  ),
  frame(
    0,
    put.composite(0x13, [
      put.uint(0),
      put.uint(100),
      put.uint(0),
      put.uint(100),
      put.uint(0),
      put.uint(0),
      put.uint(5),
    ]),
  ),
  frame(0, put.composite(0x15, [put.bool(true), put.uint(0), put.uint(0xffff_ffff), put.bool(true)])),
]);

describe('a connection', () => {
  it('answers open, begin and attach', () => {
    const { connection, frames } = dial();
    connection.receive(opening);
    expect(frames()).toEqual([0x10, 0x11, 0x12]);
  });

  it('closes with an error when a frame comes out of turn, and says why', () => {
    const { connection, frames, complaints, isEnded } = dial();
    connection.receive(Buffer.concat([AMQP_HEADER, frame(0, put.composite(0x10, [put.string('me')]))]));
    connection.receive(frame(9, put.composite(0x14, [put.uint(0)])));
    expect(frames()).toEqual([0x10, 0x18]);
    expect(String(complaints[0])).toContain('channel 9 has no session');
    expect(isEnded()).toBe(true);
    expect(connection.isOver).toBe(true);
  });

  it('writes outside of a turn only what the journal has', () => {
    const { connection, log } = dial();
    connection.receive(opening);
    expect(log).toEqual([]);
    connection.close();
    expect(log).toEqual(['record', 'write']);
  });

  it('leaves its heartbeat to the turn', () => {
    jest.useFakeTimers();
    try {
      const { connection, log } = dial();
      connection.receive(AMQP_HEADER);
      connection.receive(
        frame(0, put.composite(0x10, [put.string('me'), undefined, undefined, undefined, put.uint(1000)])),
      );
      connection.flush();
      log.length = 0;
      jest.advanceTimersByTime(1000);
      expect(log).toEqual([]);
      connection.flush();
      expect(log).toEqual(['write']);
      connection.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('detaches a sender that sends more than it was granted', () => {
    const { connection, frames } = dial();
    connection.receive(AMQP_HEADER);
    connection.receive(frame(0, put.composite(0x10, [put.string('me')])));
    connection.receive(frame(0, put.composite(0x11, [undefined, put.uint(0), put.uint(100), put.uint(100)])));
    const attach = [put.string('link'), put.uint(0), put.bool(false), undefined, undefined];
    connection.receive(frame(0, put.composite(0x12, [...attach, undefined, put.composite(0x29, [])])));
    connection.flush();
    const transfer = (id: number) =>
      frame(0, put.composite(0x14, [put.uint(0), put.uint(id), put.binary(Buffer.from([id])), put.uint(0)]));
    for (let id = 0; id < 10; id++) connection.receive(transfer(id));
    expect(frames()).not.toContain(0x16);
    for (let id = 10; id < 20; id++) connection.receive(transfer(id));
    expect(frames()).not.toContain(0x16);
    for (let id = 20; id < 31; id++) connection.receive(transfer(id));
    expect(frames().filter((code) => code === 0x16)).toHaveLength(1);
  });

  it('survives 2,000 streams of damaged bytes', () => {
    const random = chance(20_260_728);
    const pick = (below: number) => Math.floor(random() * below);
    for (let run = 0; run < 2000; run++) {
      const { connection } = dial();
      let bytes = Buffer.from(opening);
      const start = run % 3 === 0 ? 0 : 8;
      for (let n = pick(6); n >= 0; n--) bytes[start + pick(bytes.length - start)] = pick(256);
      if (run % 5 === 0) bytes = bytes.subarray(0, pick(bytes.length));
      if (run % 7 === 0)
        bytes = Buffer.concat([bytes, Buffer.from(Array.from({ length: 64 }, () => pick(256)))]);
      // Whatever it makes of them, nothing is thrown at whoever owns the socket, and it can be closed.
      for (let at = 0; at < bytes.length; at += 40) connection.receive(bytes.subarray(at, at + 40));
      connection.flush();
      connection.close();
      if (!connection.isOver) throw new Error(`run ${run} left the connection open`);
    }
  });
});
