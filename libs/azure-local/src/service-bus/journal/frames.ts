import { fstatSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const HEADER_BYTES = 8;
const WINDOW_BYTES = 1_048_576;
/** How far to look for a whole frame behind a broken one. */
const SEARCH_BYTES = 4_194_304;
/** The first byte of every record: a list. */
const RECORD = 0xd0;

/** Appends a frame of length, checksum and payload; the bytes it took. */
export function appendFrame(fd: number, payload: Buffer, at: number): number {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt32BE(crc32(payload), 4);
  payload.copy(frame, HEADER_BYTES);
  for (let done = 0; done < frame.length;) done += writeSync(fd, frame, done, frame.length - done, at + done);
  return frame.length;
}

export interface Reading {
  /** Where the last whole frame ends. */
  readonly good: number;
  readonly total: number;
  /** What follows is the beginning of a frame that was not written to its end, not damage. */
  readonly isTorn: boolean;
}

/**
 * Calls `use` for each whole frame from the beginning. Behind the first broken one nothing is used. That one is torn
 * when it is the last thing in the file; with a whole frame behind it something has damaged the file.
 */
export function readFrames(fd: number, use: (payload: Buffer, at: number) => void): Reading {
  const total = fstatSync(fd).size;
  const file = new Window(fd, total);
  let at = 0;
  for (;;) {
    if (at === total) return { good: at, total, isTorn: false };
    if (at + HEADER_BYTES > total) return { good: at, total, isTorn: true };
    const end = endOf(file, at);
    if (end > total) return { good: at, total, isTorn: !isFollowedByFrame(file, at + 1) };
    if (!isWhole(file, at, end)) return { good: at, total, isTorn: end === total };
    use(file.bytes(at + HEADER_BYTES, end), at);
    at = end;
  }
}

function endOf(file: Window, at: number): number {
  return at + HEADER_BYTES + file.bytes(at, at + 4).readUInt32BE(0);
}

function isWhole(file: Window, at: number, end: number): boolean {
  const sum = file.bytes(at + 4, at + HEADER_BYTES).readUInt32BE(0);
  return crc32(file.bytes(at + HEADER_BYTES, end)) === sum;
}

/** A length that leads past the end may itself be what is damaged. */
function isFollowedByFrame(file: Window, from: number): boolean {
  const last = Math.min(file.total - HEADER_BYTES - 1, from + SEARCH_BYTES);
  for (let at = from; at <= last; at++) {
    if (file.bytes(at + HEADER_BYTES, at + HEADER_BYTES + 1)[0] !== RECORD) continue;
    const end = endOf(file, at);
    if (end <= file.total && end > at + HEADER_BYTES + 1 && isWhole(file, at, end)) return true;
  }
  return false;
}

/** Reads a file piece by piece, however large it is. */
class Window {
  private start = 0;
  private held: Buffer = Buffer.alloc(0);

  constructor(
    private readonly fd: number,
    readonly total: number,
  ) {}

  /** Valid as long as the caller likes: a window that was read is never written again. */
  bytes(from: number, to: number): Buffer {
    if (from < this.start || to > this.start + this.held.length) {
      const size = Math.min(Math.max(to - from, WINDOW_BYTES), this.total - from);
      this.held = Buffer.allocUnsafe(size);
      this.start = from;
      for (let done = 0; done < size;) {
        const count = readSync(this.fd, this.held, done, size - done, from + done);
        if (count === 0) throw new Error('The journal became shorter while it was read');
        done += count;
      }
    }
    return this.held.subarray(from - this.start, to - this.start);
  }
}
