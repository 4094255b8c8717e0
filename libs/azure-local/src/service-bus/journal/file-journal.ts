import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { Writer } from '../amqp/writer.js';
import type { Broker } from '../state/broker.js';
import type { Change } from '../state/stored.js';
import { lockFolder } from './folder-lock.js';
import type { Journal } from './journal.js';
import { Replay, writeChange } from './records.js';
import { snapshot } from './snapshot.js';

export type Log = (level: 'info' | 'warn' | 'error', message: string, more?: object) => void;

const HEADER_BYTES = 8;
/** Rewriting costs a pause of some milliseconds; at 10,000 messages of 1 KB per second this is one in 6 s. */
const REWRITE_FROM_BYTES = 64 * 1024 * 1024;
const REWRITE_FACTOR = 4;

/**
 * A write-ahead log in one file. What is noted during a turn of the event loop becomes one frame (length, checksum,
 * records), so a change of the broker is in the file as a whole or not at all. `write` hands frames to the
 * operating system: they survive the death of the process. `whenDurable` waits for fdatasync: they survive the
 * death of the machine. While one sync is under way all that comes gathers for the next: the busier, the larger
 * the group.
 *
 * When the file has become several times as long as the state it leads to, the state is written to a new file
 * that takes its place.
 */
export class FileJournal implements Journal {
  private readonly pending = new Writer(65_536);
  private readonly file: string;
  private readonly release: () => void;
  private waiting: { readonly at: number; readonly then: () => void }[] = [];
  private fd = -1;
  private fileBytes = 0;
  private rewriteAt = REWRITE_FROM_BYTES;
  private noted = 0;
  private written = 0;
  private durable = 0;
  private syncing: Promise<void> | undefined;
  private broken = false;
  private broker: Broker | undefined;

  /** Throws when the folder cannot be used or another process uses it. */
  constructor(
    private readonly folder: string,
    private readonly log: Log,
    private readonly rewriteFromBytes = REWRITE_FROM_BYTES,
  ) {
    const absolute = resolve(folder);
    mkdirSync(absolute, { recursive: true });
    this.release = lockFolder(absolute);
    this.file = join(absolute, 'journal.log');
  }

  /** Brings the broker to the state that the journal tells, and keeps its changes from now on. */
  restore(broker: Broker, now: number): void {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      bytes = Buffer.alloc(0);
    }
    const replay = new Replay(broker, now);
    const good = eachFrame(bytes, (payload) => {
      replay.apply(payload);
    });
    // The last frame may be torn: nobody was told that it is safe.
    if (good < bytes.length)
      this.log('warn', 'The journal ends in a frame that was not completely written; it is left out', {
        bytes: bytes.length - good,
      });
    this.broker = broker;
    this.rewrite();
  }

  note(change: Change): void {
    const { broker } = this;
    if (broker === undefined) return;
    this.noted++;
    writeChange(this.pending, change, (path) => broker.record(path));
  }

  write(): void {
    if (this.broken || this.pending.length === 0) {
      this.startSync();
      return;
    }
    try {
      const frame = framed(this.pending.take());
      writeAll(this.fd, frame);
      this.fileBytes += frame.length;
      this.written = this.noted;
      if (this.fileBytes > this.rewriteAt) this.rewrite();
    } catch (error) {
      this.fail(error);
    }
    this.startSync();
  }

  whenDurable(then: () => void): void {
    if (this.durable === this.noted) then();
    else this.waiting.push({ at: this.noted, then });
  }

  private startSync(): void {
    if (this.syncing !== undefined || this.broken || this.durable === this.written) return;
    const target = this.written;
    this.syncing = new Promise((done) => {
      fdatasync(this.fd, (error) => {
        this.syncing = undefined;
        if (error !== null && error.code !== 'EBADF') this.fail(error);
        else if (error === null) this.settled(target);
        this.startSync();
        done();
      });
    });
  }

  private settled(target: number): void {
    this.durable = Math.max(this.durable, target);
    let count = 0;
    for (const { at, then } of this.waiting) {
      if (at > this.durable) break;
      count++;
      then();
    }
    this.waiting.splice(0, count);
  }

  /** Nothing is confirmed any more: clients run into their timeouts and keep what they have. */
  private fail(error: unknown): void {
    this.broken = true;
    this.log('error', 'The journal cannot be written; nothing more is confirmed. Free the disk and restart', {
      reason: error instanceof Error ? error.message : String(error),
    });
  }

  private rewrite(): void {
    const { broker } = this;
    if (broker === undefined) return;
    this.pending.take();
    const next = `${this.file}.next`;
    const fd = openSync(next, 'w');
    const frame = framed(snapshot(broker));
    writeAll(fd, frame);
    fdatasyncSync(fd);
    renameSync(next, this.file);
    syncFolder(this.folder);
    const old = this.fd;
    this.fd = fd;
    this.fileBytes = frame.length;
    this.rewriteAt = Math.max(this.rewriteFromBytes, frame.length * REWRITE_FACTOR);
    this.written = this.noted;
    // A sync of the old file may be under way; it must not hit another file that got its number.
    const closeOld = (): void => {
      if (old >= 0) closeSync(old);
    };
    if (this.syncing === undefined) closeOld();
    else void this.syncing.then(closeOld);
    this.settled(this.noted);
  }

  async close(): Promise<void> {
    this.write();
    while (this.syncing !== undefined) await this.syncing;
    if (this.fd >= 0) closeSync(this.fd);
    this.release();
  }
}

function framed(payload: Buffer): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt32BE(crc32(payload), 4);
  return Buffer.concat([header, payload]);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

/** Calls `use` for each complete frame; returns where the last one ended. */
function eachFrame(bytes: Buffer, use: (payload: Buffer) => void): number {
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const end = at + HEADER_BYTES + bytes.readUInt32BE(at);
    const payload = bytes.subarray(at + HEADER_BYTES, end);
    if (end > bytes.length || crc32(payload) !== bytes.readUInt32BE(at + 4)) break;
    use(payload);
    at = end;
  }
  return at;
}

/** The new name of a file is safe only when its folder is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
