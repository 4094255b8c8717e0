/**
 * A growing buffer with the primitive encodings of AMQP 1.0. Lists and maps are always written in their 32-bit
 * form: the size is patched in afterwards, so nothing is measured twice or encoded into a temporary buffer.
 */
export class Writer {
  private bytes: Buffer;
  private at = 0;

  constructor(private readonly slabBytes = 1024) {
    this.bytes = Buffer.allocUnsafe(slabBytes);
  }

  get length(): number {
    return this.at;
  }

  /**
   * Hands over what was written and starts afresh. The bytes are not touched again: the rest of the slab serves
   * what is written next, as long as there is a useful rest.
   */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.at);
    const rest = this.bytes.length - this.at;
    this.bytes =
      rest >= this.slabBytes / 16 ? this.bytes.subarray(this.at) : Buffer.allocUnsafe(this.slabBytes);
    this.at = 0;
    return taken;
  }

  private room(size: number): void {
    const needed = this.at + size;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.slabBytes, needed * 2));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
  }

  u8(value: number): void {
    this.room(1);
    this.bytes[this.at++] = value;
  }

  u16(value: number): void {
    this.room(2);
    this.at = this.bytes.writeUInt16BE(value, this.at);
  }

  u32(value: number): void {
    this.room(4);
    this.at = this.bytes.writeUInt32BE(value, this.at);
  }

  i32(value: number): void {
    this.room(4);
    this.at = this.bytes.writeInt32BE(value, this.at);
  }

  u64(value: bigint): void {
    this.room(8);
    this.at = this.bytes.writeBigUInt64BE(BigInt.asUintN(64, value), this.at);
  }

  /** A whole number up to 2^53 in eight bytes, without the cost of a bigint. */
  safe64(value: number): void {
    this.room(8);
    if (value < 0) {
      this.at = this.bytes.writeBigInt64BE(BigInt(value), this.at);
      return;
    }
    this.at = this.bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), this.at);
    this.at = this.bytes.writeUInt32BE(value % 0x1_0000_0000, this.at);
  }

  f64(value: number): void {
    this.room(8);
    this.at = this.bytes.writeDoubleBE(value, this.at);
  }

  raw(part: Uint8Array): void {
    this.room(part.length);
    this.bytes.set(part, this.at);
    this.at += part.length;
  }

  null(): void {
    this.u8(0x40);
  }

  bool(value: boolean): void {
    this.u8(value ? 0x41 : 0x42);
  }

  uint(value: number): void {
    if (value === 0) this.u8(0x43);
    else if (value < 256) {
      this.u8(0x52);
      this.u8(value);
    } else {
      this.u8(0x70);
      this.u32(value);
    }
  }

  /** Descriptor of a described value, `0x00 0x53 code`, for codes below 256. */
  describedBy(code: number): void {
    this.u8(0x00);
    this.u8(0x53);
    this.u8(code);
  }

  /** The beginning of something whose size is part of it; makes room for the rest. */
  private sized(short: number, long: number, size: number): void {
    this.room(size + 5);
    if (size < 256) {
      this.u8(short);
      this.u8(size);
    } else {
      this.u8(long);
      this.u32(size);
    }
  }

  binary(part: Uint8Array): void {
    this.sized(0xa0, 0xb0, part.length);
    this.raw(part);
  }

  string(text: string): void {
    this.sized(0xa1, 0xb1, Buffer.byteLength(text, 'utf8'));
    this.at += this.bytes.write(text, this.at, 'utf8');
  }

  symbol(text: string): void {
    this.sized(0xa3, 0xb3, text.length);
    this.at += this.bytes.write(text, this.at, 'latin1');
  }

  /** Opens a list (0xd0), map (0xd1) or array (0xf0); give the result to `close`. */
  open(code: 0xd0 | 0xd1 | 0xf0): number {
    this.room(9);
    this.u8(code);
    const start = this.at;
    this.at += 8;
    return start;
  }

  close(start: number, count: number): void {
    this.bytes.writeUInt32BE(this.at - start - 4, start);
    this.bytes.writeUInt32BE(count, start + 4);
  }

  /** Reserves four bytes for a frame's size; `patchFrame` fills them in. */
  frameStart(): number {
    this.room(4);
    const start = this.at;
    this.at += 4;
    return start;
  }

  patchFrame(start: number): void {
    this.bytes.writeUInt32BE(this.at - start, start);
  }
}
