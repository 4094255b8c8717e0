import type { Change } from '../state/stored.js';

/** Where the broker writes down what must survive a restart. */
export interface Journal {
  note(change: Change): void;
  /** Hands what was noted to the operating system; called before anything is told to a client. */
  write(): void;
  /** Calls back when all that was noted so far is on disk; never, once the journal is broken. */
  whenDurable(then: () => void): void;
  /** Called once when nothing more can be made durable, with the reason. Clients must not be left waiting. */
  onBroken?: (reason: string) => void;
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
