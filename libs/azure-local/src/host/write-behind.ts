import type { Change, Table } from './persist.js';

/** What {@link WriteBehind} writes to. */
export type Behind<V> = Table<V> & { reread(): void; close(): void };

const flushAfterMs = 100;

/**
 * A table whose changes reach the one behind it together, at most 100 ms later: for counts that change with every call.
 * SIGKILL loses what was counted since; an orderly end loses nothing.
 */
export class WriteBehind<V> implements Table<V> {
  readonly #map: Map<string, V>;
  readonly #pending = new Map<string, V | undefined>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly behind: Behind<V>,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#map = new Map(behind.entries());
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  entries(): IterableIterator<[string, V]> {
    return this.#map.entries();
  }

  write(...changes: readonly Change<V>[]): void {
    for (const [key, value] of changes) {
      if (value === undefined) this.#map.delete(key);
      else this.#map.set(key, value);
      this.#pending.set(key, value);
    }
    this.#timer ??= setTimeout(() => {
      this.#flushOrSay();
    }, flushAfterMs).unref();
  }

  /** Throws what the table behind throws; the changes are kept for the next attempt. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    this.behind.write(...this.#pending);
    this.#pending.clear();
  }

  reread(): void {
    this.flush();
    this.behind.reread();
    this.#map.clear();
    for (const [key, value] of this.behind.entries()) this.#map.set(key, value);
  }

  close(): void {
    this.#flushOrSay();
    this.behind.close();
  }

  #flushOrSay(): void {
    try {
      this.flush();
    } catch (error) {
      this.failed(error);
    }
  }
}
