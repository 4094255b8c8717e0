import { Writer } from './writer.js';

/** Something that can be written: the type of each AMQP value is chosen where the value is made. */
export type Put = (to: Writer) => void;

export const nothing: Put = (to) => {
  to.null();
};
export const bool =
  (value: boolean): Put =>
  (to) => {
    to.bool(value);
  };
export const ubyte =
  (value: number): Put =>
  (to) => {
    to.u8(0x50);
    to.u8(value);
  };
export const ushort =
  (value: number): Put =>
  (to) => {
    to.u8(0x60);
    to.u16(value);
  };
export const uint =
  (value: number): Put =>
  (to) => {
    to.uint(value);
  };
export const int =
  (value: number): Put =>
  (to) => {
    to.u8(0x71);
    to.i32(value);
  };
export const long =
  (value: number): Put =>
  (to) => {
    to.u8(0x81);
    to.safe64(value);
  };
export const longExact =
  (value: bigint): Put =>
  (to) => {
    to.u8(0x81);
    to.u64(value);
  };
export const ulong =
  (value: number): Put =>
  (to) => {
    to.u8(0x80);
    to.safe64(value);
  };
export const double =
  (value: number): Put =>
  (to) => {
    to.u8(0x82);
    to.f64(value);
  };
/** Milliseconds since 1970. */
export const timestamp =
  (ms: number): Put =>
  (to) => {
    to.u8(0x83);
    to.safe64(ms);
  };
export const string =
  (text: string): Put =>
  (to) => {
    to.string(text);
  };
export const symbol =
  (text: string): Put =>
  (to) => {
    to.symbol(text);
  };
export const binary =
  (bytes: Uint8Array): Put =>
  (to) => {
    to.binary(bytes);
  };
/** Sixteen bytes in RFC 4122 order. */
export const uuid =
  (bytes: Uint8Array): Put =>
  (to) => {
    to.u8(0x98);
    to.raw(bytes);
  };
/** A complete encoding that was read earlier and passes through byte for byte. */
export const encoded =
  (bytes: Uint8Array): Put =>
  (to) => {
    to.raw(bytes);
  };

/** Trailing nulls are left out, as AMQP allows; an empty list takes one byte. */
export const list =
  (items: readonly (Put | undefined)[]): Put =>
  (to) => {
    let count = items.length;
    while (count > 0 && (items[count - 1] === undefined || items[count - 1] === nothing)) count--;
    if (count === 0) {
      to.u8(0x45);
      return;
    }
    const start = to.open(0xd0);
    for (let at = 0; at < count; at++) (items[at] ?? nothing)(to);
    to.close(start, count);
  };

/** A list whose length matters to the reader: nulls are kept. */
export const fullList =
  (items: readonly Put[]): Put =>
  (to) => {
    const start = to.open(0xd0);
    for (const item of items) item(to);
    to.close(start, items.length);
  };

export const map =
  (entries: Iterable<readonly [Put, Put]>): Put =>
  (to) => {
    const start = to.open(0xd1);
    let count = 0;
    for (const [key, value] of entries) {
      key(to);
      value(to);
      count += 2;
    }
    to.close(start, count);
  };

export const stringMap = (entries: Readonly<Record<string, Put>>): Put =>
  map(Object.entries(entries).map(([key, value]) => [string(key), value] as const));

export const described =
  (descriptor: Put, value: Put): Put =>
  (to) => {
    to.u8(0x00);
    descriptor(to);
    value(to);
  };

export const composite = (code: number, fields: readonly (Put | undefined)[]): Put =>
  described((to) => {
    to.u8(0x53);
    to.u8(code);
  }, list(fields));

/** Arrays of eight-byte whole numbers: 0x81 long, 0x83 timestamp. */
export const array64 =
  (code: 0x81 | 0x83, values: readonly number[]): Put =>
  (to) => {
    const start = to.open(0xf0);
    to.u8(code);
    for (const value of values) to.safe64(value);
    to.close(start, values.length);
  };

export const symbols =
  (values: readonly string[]): Put =>
  (to) => {
    const start = to.open(0xf0);
    to.u8(0xb3);
    for (const value of values) {
      const bytes = Buffer.from(value, 'latin1');
      to.u32(bytes.length);
      to.raw(bytes);
    }
    to.close(start, values.length);
  };

/** The bytes of one value. */
export function bytesOf(put: Put): Buffer {
  const to = new Writer(256);
  put(to);
  return to.take();
}
