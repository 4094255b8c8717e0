// Talks to the process that knows the keys (leak-search.ts).
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Channel, LeakAnswer, LeakQuestion } from './leak-search.js';

const built = fileURLToPath(new URL('../dist/leak-search.js', import.meta.url));

export class LeakHunt {
  readonly #process: ChildProcess;

  constructor(env: Readonly<Record<string, string>>) {
    this.#process = fork(built, [], {
      env: { ...env, PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** How many different keys it knows now. */
  async remember(accounts: readonly string[]): Promise<number> {
    return (await this.#ask({ ask: 'remember', accounts })).keys;
  }

  async rememberDecoy(value: string): Promise<void> {
    await this.rememberValue('decoy', value);
  }

  /** Something besides the keys that may be found nowhere. */
  async rememberValue(name: string, value: string): Promise<void> {
    await this.#ask({ ask: 'remember-value', name, value });
  }

  search(channels: Readonly<Record<string, Channel>>): Promise<LeakAnswer> {
    return this.#ask({ ask: 'search', channels });
  }

  dismiss(): void {
    if (this.#process.connected) this.#process.disconnect();
  }

  #ask(question: LeakQuestion): Promise<LeakAnswer> {
    if (!this.#process.connected)
      return Promise.reject(new Error('the search for leaks has ended; its last words are above'));
    return new Promise((resolve, reject) => {
      const ended = () => {
        reject(new Error('the search for leaks ended before it answered'));
      };
      this.#process.once('exit', ended);
      this.#process.once('message', (answer: LeakAnswer) => {
        this.#process.off('exit', ended);
        resolve(answer);
      });
      this.#process.send(question);
    });
  }
}
