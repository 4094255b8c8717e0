import { DecodeError } from './reader.js';

export const AMQP_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 1, 0, 0]);
export const SASL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 3, 1, 0, 0]);

export interface Frame {
  readonly type: 'amqp' | 'sasl';
  readonly channel: number;
  readonly body: Buffer;
}

export type Unit = { readonly header: Buffer } | Frame;

/**
 * Cuts a byte stream into protocol headers and frames. Bytes that arrive in pieces are gathered in a list and
 * joined once when the frame is complete, so a large frame in many small chunks is not copied again and again.
 */
export class FrameCutter {
  private chunks: Buffer[] = [];
  private held = 0;
  private wanted = 8;
  private current: Buffer = Buffer.alloc(0);
  private at = 0;
  private expectsHeader = true;

  constructor(private readonly largestFrame: number) {}

  /** After a SASL outcome the peer starts again with a protocol header. */
  expectHeader(): void {
    this.expectsHeader = true;
  }

  feed(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.held += chunk.length;
  }

  /** The next unit, or undefined until more bytes arrive. */
  next(): Unit | undefined {
    if (!this.gather(8)) return undefined;
    if (this.expectsHeader) {
      const header = this.cut(8);
      this.expectsHeader = false;
      return { header };
    }
    const size = this.current.readUInt32BE(this.at);
    if (size < 8 || size > this.largestFrame)
      throw new DecodeError(`a frame of ${size} bytes is outside 8..${this.largestFrame}`);
    if (!this.gather(size)) return undefined;
    const { current, at } = this;
    const dataStart = current.readUInt8(at + 4) * 4;
    if (dataStart < 8 || dataStart > size) throw new DecodeError('the data offset of a frame is wrong');
    const type = current.readUInt8(at + 5);
    if (type > 1) throw new DecodeError(`frame type ${type} is unknown`);
    this.at = at + size;
    return {
      type: type === 0 ? 'amqp' : 'sasl',
      channel: current.readUInt16BE(at + 6),
      body: current.subarray(at + dataStart, this.at),
    };
  }

  private gather(size: number): boolean {
    const available = this.current.length - this.at;
    if (available >= size) return true;
    this.wanted = size;
    if (available + this.held < this.wanted) return false;
    const rest = this.current.subarray(this.at);
    const [only] = this.chunks;
    this.current =
      rest.length === 0 && this.chunks.length === 1 && only !== undefined
        ? only
        : Buffer.concat([rest, ...this.chunks]);
    this.chunks = [];
    this.held = 0;
    this.at = 0;
    return true;
  }

  private cut(size: number): Buffer {
    const start = this.at;
    this.at += size;
    return this.current.subarray(start, this.at);
  }
}
