import type { AccountId, Generation } from '@twinkey/contracts';
import type { RefusedCall } from './heal.js';

export interface TwinkeyEvents {
  /** A newer key is in use. `previous` is 0 for the first one. */
  readonly switched: {
    readonly account: AccountId;
    readonly name: string;
    readonly generation: Generation;
    readonly previous: Generation;
  };
  /** `beforeSwitch` refused: the older key stays in use, and the application is asked again at `until`. */
  readonly kept: {
    readonly account: AccountId;
    readonly name: string;
    readonly generation: Generation;
    readonly offered: Generation;
    readonly reason: string;
    readonly until: Date;
  };
  /** The notifier does not answer: the last good key stays in use and Key Vault is re-read on our own. */
  readonly lapsed: { readonly since: Date; readonly reason: string };
  /** The notifier answers again. */
  readonly resumed: { readonly at: Date };
  /** A call of `fetch` or `policy` was refused with 401. */
  readonly refused: RefusedCall & { readonly account: AccountId; readonly name: string };
  /** Something did not work and is tried again; nothing stops because of it. Never holds a key. */
  readonly error: Error;
}

export type Listener<Name extends keyof TwinkeyEvents> = (event: TwinkeyEvents[Name]) => void;

export type Listeners = { readonly [Name in keyof TwinkeyEvents]?: Listener<Name> };

/** Unlike Node's emitter it does not throw for an `error` that nobody listens to: an application that only wants keys may ignore it. */
export class Events {
  readonly #listeners: { readonly [Name in keyof TwinkeyEvents]: Set<Listener<Name>> } = {
    switched: new Set(),
    kept: new Set(),
    lapsed: new Set(),
    resumed: new Set(),
    refused: new Set(),
    error: new Set(),
  };

  constructor({ switched, kept, lapsed, resumed, refused, error }: Listeners = {}) {
    if (switched) this.on('switched', switched);
    if (kept) this.on('kept', kept);
    if (lapsed) this.on('lapsed', lapsed);
    if (resumed) this.on('resumed', resumed);
    if (refused) this.on('refused', refused);
    if (error) this.on('error', error);
  }

  /** Returns the function that takes the listener away again. */
  on<Name extends keyof TwinkeyEvents>(name: Name, listener: Listener<Name>): () => void {
    this.#listeners[name].add(listener);
    return () => {
      this.#listeners[name].delete(listener);
    };
  }

  emit<Name extends keyof TwinkeyEvents>(name: Name, event: TwinkeyEvents[Name]): void {
    for (const listener of this.#listeners[name]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's own mistake: the process hears of it, but the key switch goes on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
