import { AzureKeyCredential } from '@azure/core-auth';
import { generation, type Generation } from '@twinkey/contracts';
import { EVERY, Flights } from './flights.js';

/** A key and what it is called. */
export interface HeldKey {
  readonly key: string;
  readonly generation: Generation;
  /** What people may know it by. */
  readonly fingerprint?: string | undefined;
}

/**
 * The key of one account in this process: none → generation g → a higher one … → closed. `install` is the only place
 * that changes the key.
 */
export class KeyHolder {
  readonly #flights = new Flights();
  readonly #name: string;
  #closed = false;
  #held: HeldKey | undefined;
  #credential: AzureKeyCredential | undefined;
  #isUnseen = false;

  constructor(name: string) {
    this.#name = name;
  }

  /** What is held, whoever may use it; undefined while there is no key. */
  get current(): HeldKey | undefined {
    return this.#held;
  }

  get generation(): Generation {
    return this.#held?.generation ?? generation(0);
  }

  /** True once the key was handed out: what is signed with it is not seen here. */
  get isUnseen(): boolean {
    return this.#isUnseen;
  }

  /** The credential that always holds the current key. Throws while there is no key. */
  get credential(): AzureKeyCredential {
    this.#credential ??= new AzureKeyCredential(this.handOut());
    return this.#credential;
  }

  /** The key itself, for a call that is not seen here. Throws while there is no key. */
  handOut(): string {
    const { key } = this.#current();
    this.#isUnseen = true;
    return key;
  }

  install(next: HeldKey): void {
    this.#held = next;
    this.#credential?.update(next.key);
  }

  /** Runs a call with the current key and counts it as under way until it settles. */
  async use<Result>(call: (held: HeldKey) => Promise<Result>): Promise<Result> {
    const held = this.#current();
    const ended = this.#flights.begin(held.generation);
    try {
      return await call(held);
    } finally {
      ended();
    }
  }

  /** Resolves when no call with a key older than `current` is under way. */
  landed(current: Generation): Promise<void> {
    return this.#flights.landed(current);
  }

  /** No further call gets the key; resolves when those under way have ended. */
  close(): Promise<void> {
    this.#closed = true;
    return this.#flights.landed(EVERY);
  }

  #current(): HeldKey {
    if (this.#closed)
      throw new Error(`${this.#name}: this instance has said goodbye, so its key may die any time.`);
    if (this.#held === undefined) {
      throw new Error(
        `${this.#name}: no key yet. Wait for \`account.ready\`: none is published, or none was read.`,
      );
    }
    return this.#held;
  }
}
