import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Writer } from '../amqp/writer.js';
import type { Broker } from '../state/broker.js';
import type { Change } from '../state/stored.js';
import { lockFolder } from './folder-lock.js';
import { appendFrame, readFrames } from './frames.js';
import type { Journal } from './journal.js';
import { Replay, writeChange } from './records.js';
import { snapshot } from './snapshot.js';

export type Log = (level: 'info' | 'warn' | 'error', message: string, more?: object) => void;

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
  private readonly folder: string;
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
  onBroken: (reason: string) => void = () => undefined;

  /** Throws when the folder cannot be used or another process uses it. */
  constructor(
    folder: string,
    private readonly log: Log,
    private readonly rewriteFromBytes = REWRITE_FROM_BYTES,
  ) {
    this.folder = resolve(folder);
    mkdirSync(this.folder, { recursive: true });
    this.release = lockFolder(this.folder);
    this.file = join(this.folder, 'journal.log');
  }

  get isBroken(): boolean {
    return this.broken;
  }

  /** How long the file is at present. */
  get bytes(): number {
    return this.fileBytes;
  }

  /**
   * Brings the broker to the state that the journal tells, and keeps its changes from now on. Throws, and leaves the
   * file as it is, when the file is damaged.
   */
  restore(broker: Broker, now: number): void {
    try {
      this.fd = openSync(this.file, constants.O_RDWR | constants.O_CREAT, 0o600);
      this.replay(broker, now);
    } catch (error) {
      if (this.fd >= 0) closeSync(this.fd);
      this.fd = -1;
      this.release();
      throw error;
    }
    broker.createdAt ??= now;
    this.broker = broker;
    this.rewrite();
  }

  private replay(broker: Broker, now: number): void {
    const replay = new Replay(broker, now);
    const { good, total, isTorn } = readFrames(this.fd, (payload, at) => {
      try {
        replay.apply(payload);
      } catch (error) {
        throw this.damaged(at, error instanceof Error ? error.message : String(error));
      }
    });
    if (good < total && !isTorn) throw this.damaged(good, 'a checksum does not match');
    this.fileBytes = good;
    if (good === total) return;
    // The last frame may be torn: nobody was told that it is safe.
    const copy = this.keepTail(good, total - good);
    this.log('warn', 'The journal ends in a frame that was not completely written; it is left out', {
      bytes: total - good,
      copy,
    });
    ftruncateSync(this.fd, good);
  }

  private damaged(at: number, reason: string): Error {
    return new Error(
      `The journal ${this.file} is damaged at offset ${at}: ${reason}. Nothing was changed. ` +
        `Put back a sound copy of it; or cut a copy off at that offset to keep what lies before; ` +
        'or move the file away to begin with an empty namespace.',
    );
  }

  private keepTail(from: number, length: number): string {
    const copy = `${this.file}.torn`;
    const tail = Buffer.alloc(length);
    readSync(this.fd, tail, 0, length, from);
    writeFileSync(copy, tail, { mode: 0o600 });
    return copy;
  }

  note(change: Change): void {
    const { broker } = this;
    if (broker === undefined || this.broken) return;
    this.noted++;
    writeChange(this.pending, change, (path) => broker.record(path));
  }

  write(): void {
    if (this.broken) return;
    if (this.pending.length > 0)
      try {
        this.fileBytes += appendFrame(this.fd, this.pending.take(), this.fileBytes);
        this.written = this.noted;
      } catch (error) {
        this.fail(error);
        return;
      }
    if (this.fileBytes > this.rewriteAt) this.rewrite();
    this.startSync();
  }

  whenDurable(then: () => void): void {
    if (this.broken) return;
    if (this.durable === this.noted) then();
    else this.waiting.push({ at: this.noted, then });
  }

  private startSync(): void {
    if (this.syncing !== undefined || this.broken || this.durable === this.written) return;
    const target = this.written;
    const { fd } = this;
    this.syncing = new Promise((done) => {
      fdatasync(fd, (error) => {
        this.syncing = undefined;
        if (error === null) this.settled(target);
        // A file that was replaced meanwhile is of no importance any more.
        else if (fd === this.fd) this.fail(error);
        this.startSync();
        done();
      });
    });
  }

  private settled(target: number): void {
    if (this.broken) return;
    this.durable = Math.max(this.durable, target);
    let count = 0;
    for (const { at, then } of this.waiting) {
      if (at > this.durable) break;
      count++;
      then();
    }
    this.waiting.splice(0, count);
  }

  /** Nothing is confirmed any more, and nothing kept that could be confirmed. */
  private fail(error: unknown): void {
    if (this.broken) return;
    this.broken = true;
    this.pending.take();
    this.waiting = [];
    const reason = error instanceof Error ? error.message : String(error);
    this.log('error', 'The journal cannot be written; nothing more is confirmed. Free the disk and restart', {
      reason,
    });
    this.onBroken(reason);
  }

  /** What is pending is part of the state. When it cannot be done the log is used on, and it is tried again later. */
  private rewrite(): void {
    const { broker } = this;
    if (broker === undefined) return;
    const next = `${this.file}.next`;
    let fd = -1;
    let bytes = 0;
    try {
      fd = openSync(next, 'w', 0o600);
      for (const payload of snapshot(broker)) bytes += appendFrame(fd, payload, bytes);
      fdatasyncSync(fd);
      renameSync(next, this.file);
    } catch (error) {
      if (fd >= 0) closeSync(fd);
      removeIfPossible(next);
      this.rewriteAt = this.fileBytes + this.rewriteFromBytes;
      this.log('warn', 'The journal could not be shortened; it is used as it is', {
        reason: error instanceof Error ? error.message : String(error),
        bytes: this.fileBytes,
      });
      return;
    }
    this.pending.take();
    this.replaced(fd, bytes);
  }

  private replaced(fd: number, bytes: number): void {
    const old = this.fd;
    this.fd = fd;
    this.fileBytes = bytes;
    this.rewriteAt = Math.max(this.rewriteFromBytes, bytes * REWRITE_FACTOR);
    this.written = this.noted;
    // A sync of the old file may be under way; it must not hit another file that got its number.
    if (this.syncing === undefined) closeSync(old);
    else
      void this.syncing.then(() => {
        closeSync(old);
      });
    try {
      syncFolder(this.folder);
    } catch (error) {
      // Whether the old or the new file is found after a crash is open: nothing can be promised.
      this.fail(error);
      return;
    }
    this.settled(this.noted);
  }

  async close(): Promise<void> {
    this.write();
    while (this.syncing !== undefined) await this.syncing;
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
    this.release();
  }
}

/** Half a file takes room on a disk that may be full; it is overwritten later in any case. */
function removeIfPossible(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    return;
  }
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
