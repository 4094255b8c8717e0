// Talks to the census of keys, which runs in a process of its own because it must trust the embedded Azure's
// certificate from its first moment on.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CensusAnswer, CensusQuestion } from './key-census.js';

export class Witness {
  private constructor(private readonly process: ChildProcess) {}

  /** Remembers both keys of each account as they are now. */
  static async remember(
    accounts: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Witness> {
    const child = fork(fileURLToPath(new URL('./key-census.js', import.meta.url)), [], {
      env: { ...env, PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const witness = new Witness(child);
    await witness.#ask({ ask: 'remember', accounts });
    return witness;
  }

  /** What the data plane says of the remembered keys now. */
  check(): Promise<CensusAnswer> {
    return this.#ask({ ask: 'check' });
  }

  dismiss(): void {
    if (this.process.connected) this.process.disconnect();
  }

  #ask(question: CensusQuestion): Promise<CensusAnswer> {
    return new Promise((resolve, reject) => {
      const ended = () => {
        reject(new Error('the census of keys ended before it answered'));
      };
      this.process.once('exit', ended);
      this.process.once('message', (answer: CensusAnswer) => {
        this.process.off('exit', ended);
        resolve(answer);
      });
      this.process.send(question);
    });
  }
}
