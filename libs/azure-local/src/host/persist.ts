import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

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

/**
 * A table in an append-only file, one line of JSON for each `write`.
 *
 * The line goes to the kernel in one call before the answer leaves, so SIGKILL loses only what was not answered.
 * There is no fsync: the emulator promises to survive its own death, not a power cut. A torn last line is the
 * trace of a write that never returned, and is cut off at the next opening.
 */
export class FileTable<V> implements Table<V> {
  readonly #file: string;
  readonly #map = new Map<string, V>();
  #descriptor: number | undefined;
  #bytes = 0;
  #bytesWhenCompact = 0;

  constructor(file: string) {
    this.#file = file;
    if (existsSync(file)) this.#load();
    this.#compact();
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  entries(): IterableIterator<[string, V]> {
    return this.#map.entries();
  }

  write(...changes: readonly Change<V>[]): void {
    if (this.#descriptor === undefined)
      throw new Error(`${this.#file} is closed: the emulator has been stopped.`);
    this.#bytes += writeSync(this.#descriptor, toLine(changes));
    fold(this.#map, changes);
    if (this.#bytes > this.#bytesWhenCompact * 2 + compactAfterBytes) this.#compact();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
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

  #compact(): void {
    this.close();
    const text = [...this.#map].map((entry) => toLine([entry])).join('');
    replaceFile(this.#file, text);
    this.#descriptor = openSync(this.#file, 'a', 0o600);
    this.#bytes = this.#bytesWhenCompact = Buffer.byteLength(text);
  }
}

/** The file holds the old text or the new, never a part; readable by its owner only. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.draft`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
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
