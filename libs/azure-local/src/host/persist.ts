import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { codeOf } from './plugin.js';

/** A last-write-wins map of records; what the pure states are built on. */
export interface Table<V> {
  get(key: string): V | undefined;
  entries(): IterableIterator<[string, V]>;
  /** All changes or none; returned from = kept. `undefined` removes. */
  write(...changes: readonly Change<V>[]): void;
}

export type Change<V> = readonly [key: string, value: V | undefined];

/** Nothing kept: for specs of pure states. */
export function inMemory<V>(initial: readonly [string, V][] = []): Table<V> {
  const map = new Map(initial);
  return {
    get: (key) => map.get(key),
    entries: () => map.entries(),
    write: (...changes) => {
      fold(map, changes);
    },
  };
}

const compactAfterBytes = 4 * 1024 * 1024;

/** The two calls by which an append reaches the file; a spec lets them fail. */
export interface Appending {
  write(descriptor: number, bytes: Buffer, offset: number): number;
  truncate(descriptor: number, length: number): void;
}

const appending: Appending = { write: writeSync, truncate: ftruncateSync };

/**
 * A table in an append-only file, one line of JSON for each `write`.
 *
 * The line goes to the kernel before the answer leaves, so SIGKILL loses only what was not answered. There is no
 * fsync: the emulator promises to survive its own death, not a power cut. A torn last line is the trace of a write
 * that never returned, and is cut off at the next opening; a write that failed is cut off at once, because a line
 * behind it would make it a torn one in the middle, which nobody can explain.
 */
export class FileTable<V> implements Table<V> {
  readonly #file: string;
  readonly #map = new Map<string, V>();
  #descriptor: number | undefined;
  #bytes = 0;
  #bytesWhenCompact = 0;
  #isTorn = false;

  constructor(
    file: string,
    private readonly io: Appending = appending,
  ) {
    this.#file = file;
    this.#open();
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  entries(): IterableIterator<[string, V]> {
    return this.#map.entries();
  }

  /** Throws when the file cannot be written; then nothing of it is kept. */
  write(...changes: readonly Change<V>[]): void {
    if (this.#descriptor === undefined)
      throw new Error(`${this.#file} is closed: the emulator has been stopped.`);
    this.#append(this.#descriptor, Buffer.from(toLine(changes)));
    fold(this.#map, changes);
    if (this.#bytes > this.#bytesWhenCompact * 2 + compactAfterBytes) this.#compact();
  }

  /** Forgets what is in memory for what is in the file, as a process does that starts. */
  reread(): void {
    this.close();
    this.#map.clear();
    this.#open();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #open(): void {
    if (existsSync(this.#file)) this.#load();
    this.#replace();
  }

  #append(descriptor: number, line: Buffer): void {
    try {
      if (this.#isTorn) this.#cutOff(descriptor);
      for (let done = 0; done < line.length;) {
        this.#isTorn = true;
        const written = this.io.write(descriptor, line, done);
        if (written === 0) throw new Error('nothing was written');
        done += written;
      }
      this.#isTorn = false;
    } catch (cause) {
      this.#cutOffLater(descriptor);
      const why = codeOf(cause) ?? String(cause);
      throw new Error(
        `${this.#file} cannot be written (${why}); nothing changed. Free the disk and try again.`,
        {
          cause,
        },
      );
    }
    this.#bytes += line.length;
  }

  #cutOff(descriptor: number): void {
    this.io.truncate(descriptor, this.#bytes);
    this.#isTorn = false;
  }

  /** A disk that refuses even this may recover: the next write tries again before it appends. */
  #cutOffLater(descriptor: number): void {
    if (!this.#isTorn) return;
    try {
      this.#cutOff(descriptor);
    } catch {
      this.#isTorn = true;
    }
  }

  #load(): void {
    const text = readFileSync(this.#file, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    if (end < text.length) truncateSync(this.#file, Buffer.byteLength(text.slice(0, end)));
    for (const [index, line] of text.slice(0, end).split('\n').entries()) {
      if (line !== '') fold(this.#map, this.#parse(line, index + 1));
    }
  }

  #parse(line: string, number: number): readonly Change<V>[] {
    try {
      // The file is ours: written by `toLine` only.
      const pairs = JSON.parse(line) as [string, V | null][];
      return pairs.map(([key, value]) => [key, value ?? undefined]);
    } catch (cause) {
      const remedy = 'It was changed by hand or the disk is damaged; delete the data folder to start afresh.';
      throw new Error(`${this.#file}, line ${number}: not a record. ${remedy}`, { cause });
    }
  }

  /** The record is in the file already: a disk that is full puts this off, and fails no write. */
  #compact(): void {
    try {
      this.#replace();
    } catch {
      this.#bytesWhenCompact = this.#bytes;
    }
  }

  #replace(): void {
    const text = [...this.#map].map((entry) => toLine([entry])).join('');
    replaceFile(this.#file, text);
    this.close();
    this.#descriptor = openSync(this.#file, 'a', 0o600);
    this.#bytes = this.#bytesWhenCompact = Buffer.byteLength(text);
    this.#isTorn = false;
  }
}

/** The file holds the old text or the new, never a part; readable by its owner only. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.draft`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function toLine<V>(changes: readonly Change<V>[]): string {
  return `${JSON.stringify(changes.map(([key, value]) => [key, value ?? null]))}\n`;
}

function fold<V>(map: Map<string, V>, changes: readonly Change<V>[]): void {
  for (const [key, value] of changes) {
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }
}
