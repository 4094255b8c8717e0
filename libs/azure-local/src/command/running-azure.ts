import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { callTrusting, type CallOptions } from '../host/call.js';
import { codeOf, isObject } from '../host/plugin.js';
import { readRunning } from '../host/running.js';
import { Misuse } from './misuse.js';

export interface Whereabouts {
  readonly dataDir: string;
  readonly origin: string | undefined;
  readonly ca: string | undefined;
}

/** The control of an emulator in another process. */
export class RunningAzure {
  readonly #agent: Agent;

  private constructor(
    private readonly origin: string,
    ca: string,
  ) {
    this.#agent = new Agent({ ca, keepAlive: false });
  }

  /** Throws {@link Misuse} when none is to be found there. */
  static find({ dataDir, origin, ca }: Whereabouts): RunningAzure {
    const announced = readRunning(dataDir);
    const where = origin ?? announced?.origin;
    const caFile = ca ?? announced?.caFile;
    if (where === undefined || caFile === undefined) {
      throw new Misuse(
        `--data ${dataDir}: nothing runs there. Start it with the same --data, or say --origin URL --ca FILE.`,
      );
    }
    try {
      return new RunningAzure(new URL(where).origin, readFileSync(caFile, 'utf8'));
    } catch (cause) {
      throw new Misuse(
        codeOf(cause) === 'ERR_INVALID_URL'
          ? `--origin ${where}: a URL was expected, such as https://localhost:8443.`
          : `--ca ${caFile}: the file cannot be read.`,
        { cause },
      );
    }
  }

  /** The JSON of the answer. Throws {@link Misuse} with the control's own sentence for what it refuses. */
  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const options: CallOptions = { method, ...(body === undefined ? {} : { body }) };
    const { status, text } = await this.#send(path, options);
    const value: unknown = text === '' ? undefined : JSON.parse(text);
    if (status < 400) return value;
    const error = isObject(value) ? value['error'] : undefined;
    const message = isObject(error) ? String(error['message']) : `it answered ${status}`;
    throw status < 500 ? new Misuse(message) : new Error(message);
  }

  /** Resolves when everything is back after a restart. */
  async healthy(withinMs: number): Promise<void> {
    const call = callTrusting(this.#agent);
    const end = Date.now() + withinMs;
    for (;;) {
      // Refused and cut connections are what a restart looks like from here.
      const answer = await call(`${this.origin}/_local/healthz`).catch(() => undefined);
      if (answer?.status === 200) return;
      if (Date.now() > end) throw new Error(`It did not come back within ${withinMs} ms; see its log.`);
      await new Promise((soon) => setTimeout(soon, 20));
    }
  }

  async #send(path: string, options: CallOptions) {
    try {
      return await callTrusting(this.#agent)(`${this.origin}/_local/${path}`, options);
    } catch (cause) {
      const why = codeOf(cause) ?? String(cause);
      throw new Misuse(`Nothing answers at ${this.origin} (${why}). Is it running?`, { cause });
    }
  }
}
