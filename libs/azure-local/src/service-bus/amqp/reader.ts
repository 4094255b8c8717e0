/** What the peer sent is not AMQP. The connection that sent it is closed; nothing else is affected. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export class Described {
  constructor(
    readonly descriptor: Value,
    readonly value: Value,
  ) {}
}

/** Sixteen bytes in RFC 4122 order. */
export class Uuid {
  constructor(readonly bytes: Buffer) {}

  toString(): string {
    const hex = this.bytes.toString('hex');
    return [8, 12, 16, 20].reduce((text, at, n) => `${text.slice(0, at + n)}-${text.slice(at + n)}`, hex);
  }
}

/** Read on demand: the broker passes most maps on without looking into them. */
export class AmqpMap {
  constructor(
    private readonly body: Buffer,
    private readonly count: number,
  ) {}

  get size(): number {
    return this.count / 2;
  }

  *entries(): Generator<[Value, Value]> {
    const reader = new Reader(this.body);
    for (let n = 0; n < this.count; n += 2) yield [reader.value(), reader.value()];
  }

  /** Keys as text, values as the bytes that were received. */
  *encodedEntries(): Generator<[string, Buffer]> {
    const reader = new Reader(this.body);
    for (let n = 0; n < this.count; n += 2) {
      const key = reader.value();
      yield [typeof key === 'string' ? key : '', reader.slice()];
    }
  }

  get(key: string): Value {
    for (const [name, value] of this.entries()) if (name === key) return value;
    return null;
  }
}

/** Symbols are read as strings, whole numbers beyond 2^53 as bigint, decimals and chars as their bytes. */
export type Value =
  null | boolean | number | bigint | string | Buffer | Date | Uuid | Described | AmqpMap | readonly Value[];

const DEEPEST_NESTING = 32;
const LONGEST_ARRAY_OF_NOTHING = 4096;

/** Reads values out of a buffer; every length is checked against what is really there. */
export class Reader {
  private at: number;

  constructor(
    private readonly bytes: Buffer,
    start = 0,
    private readonly end = bytes.length,
  ) {
    this.at = start;
  }

  get position(): number {
    return this.at;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  private step(size: number): number {
    const start = this.at;
    if (size > this.end - start) throw new DecodeError('a value is longer than its surroundings');
    this.at = start + size;
    return start;
  }

  /** Passes over one value. */
  pass(): void {
    this.skip(0);
  }

  /** Passes over one value and returns its bytes. */
  slice(): Buffer {
    const start = this.at;
    this.skip(0);
    return this.bytes.subarray(start, this.at);
  }

  private skip(depth: number): void {
    const code = this.bytes[this.step(1)] ?? 0;
    if (code === 0) {
      if (depth > DEEPEST_NESTING) throw new DecodeError('values are nested too deeply');
      this.skip(depth + 1);
      this.skip(depth + 1);
      return;
    }
    switch (code >> 4) {
      case 0x4:
        return;
      case 0x5:
      case 0x6:
      case 0x7:
      case 0x8:
      case 0x9:
        this.step(1 << ((code >> 4) - 5));
        return;
      case 0xa:
      case 0xc:
      case 0xe:
        this.step(this.bytes.readUInt8(this.step(1)));
        return;
      case 0xb:
      case 0xd:
      case 0xf:
        this.step(this.bytes.readUInt32BE(this.step(4)));
        return;
      default:
        throw new DecodeError(`0x${code.toString(16)} is not an AMQP type`);
    }
  }

  value(depth = 0): Value {
    if (depth > DEEPEST_NESTING) throw new DecodeError('values are nested too deeply');
    const code = this.bytes[this.step(1)] ?? 0;
    if (code !== 0) return this.ofCode(code, depth);
    const descriptor = this.value(depth + 1);
    return new Described(descriptor, this.value(depth + 1));
  }

  private ofCode(code: number, depth: number): Value {
    const { bytes } = this;
    switch (code) {
      case 0x40:
        return null;
      case 0x41:
        return true;
      case 0x42:
        return false;
      case 0x43:
      case 0x44:
        return 0;
      case 0x45:
        return [];
      case 0x50:
      case 0x52:
      case 0x53:
        return bytes.readUInt8(this.step(1));
      case 0x51:
      case 0x54:
      case 0x55:
        return bytes.readInt8(this.step(1));
      case 0x56:
        return bytes.readUInt8(this.step(1)) === 1;
      case 0x60:
        return bytes.readUInt16BE(this.step(2));
      case 0x61:
        return bytes.readInt16BE(this.step(2));
      case 0x70:
        return bytes.readUInt32BE(this.step(4));
      case 0x71:
        return bytes.readInt32BE(this.step(4));
      case 0x72:
        return bytes.readFloatBE(this.step(4));
      case 0x73:
        return this.part(4);
      case 0x74:
        return this.part(4);
      case 0x80:
        return whole(bytes.readBigUInt64BE(this.step(8)));
      case 0x81:
        return whole(bytes.readBigInt64BE(this.step(8)));
      case 0x82:
        return bytes.readDoubleBE(this.step(8));
      case 0x83:
        return new Date(Number(bytes.readBigInt64BE(this.step(8))));
      case 0x84:
        return this.part(8);
      case 0x94:
        return this.part(16);
      case 0x98:
        return new Uuid(this.part(16));
      case 0xa0:
        return this.part(bytes.readUInt8(this.step(1)));
      case 0xb0:
        return this.part(bytes.readUInt32BE(this.step(4)));
      case 0xa1:
        return this.text('utf8', bytes.readUInt8(this.step(1)));
      case 0xb1:
        return this.text('utf8', bytes.readUInt32BE(this.step(4)));
      case 0xa3:
        return this.text('latin1', bytes.readUInt8(this.step(1)));
      case 0xb3:
        return this.text('latin1', bytes.readUInt32BE(this.step(4)));
      case 0xc0:
      case 0xd0:
        return this.list(code === 0xc0, depth);
      case 0xc1:
      case 0xd1:
        return this.map(code === 0xc1);
      case 0xe0:
      case 0xf0:
        return this.array(code === 0xe0, depth);
      default:
        throw new DecodeError(`0x${code.toString(16)} is not an AMQP type`);
    }
  }

  private part(size: number): Buffer {
    const start = this.step(size);
    return this.bytes.subarray(start, this.at);
  }

  private text(encoding: 'utf8' | 'latin1', size: number): string {
    const start = this.step(size);
    return this.bytes.toString(encoding, start, this.at);
  }

  /** Size and count of a compound value; the reader stands behind it afterwards. */
  private compound(short: boolean): { inner: Reader; count: number } {
    const size = short ? this.bytes.readUInt8(this.step(1)) : this.bytes.readUInt32BE(this.step(4));
    const start = this.step(size);
    const inner = new Reader(this.bytes, start, this.at);
    const count = short ? this.bytes.readUInt8(inner.step(1)) : this.bytes.readUInt32BE(inner.step(4));
    return { inner, count };
  }

  private list(short: boolean, depth: number): Value[] {
    const { inner, count } = this.compound(short);
    if (count > inner.end - inner.at) throw new DecodeError('a list has more items than bytes');
    const items: Value[] = [];
    for (let n = 0; n < count; n++) items.push(inner.value(depth + 1));
    return items;
  }

  private map(short: boolean): AmqpMap {
    const { inner, count } = this.compound(short);
    if (count % 2 !== 0) throw new DecodeError('a map has a key without a value');
    if (count > inner.end - inner.at) throw new DecodeError('a map has more items than bytes');
    return new AmqpMap(this.bytes.subarray(inner.at, inner.end), count);
  }

  private array(short: boolean, depth: number): Value[] {
    if (depth > DEEPEST_NESTING) throw new DecodeError('values are nested too deeply');
    const { inner, count } = this.compound(short);
    let code = this.bytes[inner.step(1)] ?? 0;
    let descriptor: Value | undefined;
    if (code === 0) {
      descriptor = inner.value(depth + 1);
      code = this.bytes[inner.step(1)] ?? 0;
    }
    // Items of these types occupy no bytes, so the size does not bound their number.
    const limit = code >> 4 === 4 ? LONGEST_ARRAY_OF_NOTHING : inner.end - inner.at;
    if (count > limit) throw new DecodeError('an array has more items than bytes');
    const items: Value[] = [];
    for (let n = 0; n < count; n++) {
      const item = inner.ofCode(code, depth + 1);
      items.push(descriptor === undefined ? item : new Described(descriptor, item));
    }
    return items;
  }
}

function whole(value: bigint): number | bigint {
  return value <= 0x1f_ffff_ffff_ffffn && value >= -0x1f_ffff_ffff_ffffn ? Number(value) : value;
}

/** A value as text, e.g. an id that may be a number or a uuid; empty for what has no text. */
export function textOf(value: Value | undefined): string {
  if (value instanceof Uuid) return value.toString();
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : '';
}
