import type { Change } from '../state/stored.js';

/** Where the broker writes down what must survive a restart. */
export interface Journal {
  note(change: Change): void;
  /** Hands what was noted to the operating system; called before anything is told to a client. */
  write(): void;
  /** Calls back when all that was noted so far is on disk. */
  whenDurable(then: () => void): void;
  close(): Promise<void>;
}

/** Nothing survives, nothing waits. */
export const memoryJournal: Journal = {
  note: () => undefined,
  write: () => undefined,
  whenDurable: (then) => {
    then();
  },
  close: () => Promise.resolve(),
};
