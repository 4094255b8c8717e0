import { type AccountParts, accountOf, type TwinkeyAccount } from './account.js';
import type { Listener, TwinkeyEvents } from './events.js';
import type { Leaving, Session } from './session.js';

/** A registered instance. */
export interface Twinkey {
  /** By name or ARM id. Throws for one that `connect` was not asked for. */
  account(name: string): TwinkeyAccount;
  readonly accounts: readonly TwinkeyAccount[];
  /** Returns the function that takes the listener away again. */
  on<Name extends keyof TwinkeyEvents>(name: Name, listener: Listener<Name>): () => void;
  /**
   * Waits for calls under way, tells the notifier goodbye so that no key switch waits for this instance, and closes. Do
   * this before the process ends, when no more calls are made; an open instance keeps the process alive.
   */
  close(leaving?: Leaving): Promise<void>;
}

/** A session as an application sees it. */
export function twinkeyOf(
  session: Session,
  partsFor: (account: string) => Omit<AccountParts, 'closing' | 'events'>,
): Twinkey {
  const { closing, events } = session;
  const accounts = [...session.accounts.values()].map((followed) =>
    accountOf(followed, { ...partsFor(followed.name), closing, events }),
  );
  return {
    accounts,
    account: (asked) => {
      const wanted = asked.toLowerCase();
      const found = accounts.find(
        ({ id, name }) => id.toLowerCase() === wanted || name.toLowerCase() === wanted,
      );
      if (found !== undefined) return found;
      throw new TypeError(
        `twinkey: account: "${asked}" is not one of ${accounts.map(({ name }) => name).join(', ')}. Name it in connect({ accounts }).`,
      );
    },
    on: (name, listener) => events.on(name, listener),
    close: (leaving) => session.close(leaving),
  };
}
