import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { adviceFor, exitCodeFor } from './remedies.js';

const ANSWER_WITHIN_MS = 10_000;
/** A request that got no answer is asked again under the same idempotency key: the console does it once. */
const ATTEMPTS = 3;
const PAUSE_MS = 250;

interface Problem {
  readonly code: string;
  readonly detail: string;
}

/** The console's API. Every method throws a Failure that says what a person needs to know. */
export class ConsoleClient {
  constructor(
    readonly url: string,
    private readonly timeoutMs: number = ANSWER_WITHIN_MS,
  ) {}

  async get<Answer>(path: string): Promise<Answer> {
    return this.ask<Answer>(path, { method: 'GET', headers: { accept: 'application/json' } });
  }

  async post<Answer>(path: string, body: object): Promise<Answer> {
    const headers = {
      accept: 'application/json',
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
    };
    return this.ask<Answer>(path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  /** An answer whose body is read as it comes; network errors are the caller's. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const response = await fetch(this.url + path, { headers, signal });
    if (!response.ok) throw await this.failureOf(response);
    return response;
  }

  private async ask<Answer>(path: string, request: RequestInit): Promise<Answer> {
    const response = await this.send(path, request);
    if (!response.ok) throw await this.failureOf(response);
    return (await response.json()) as Answer;
  }

  private async send(path: string, request: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await fetch(this.url + path, { ...request, signal: AbortSignal.timeout(this.timeoutMs) });
      } catch (error) {
        const { code, timedOut } = readNetworkError(error);
        if (timedOut) throw this.silent(error);
        if (attempt === ATTEMPTS || code === 'ECONNREFUSED') throw this.unreachable(code, error);
        await delay(PAUSE_MS);
      }
    }
  }

  private async failureOf(response: Response): Promise<Failure> {
    const { code, detail } = await readProblem(response);
    const { state, remedy } = adviceFor(code, response.status);
    return new Failure(exitCodeFor(response.status), {
      what: detail,
      why: `${code} (HTTP ${response.status})`,
      state,
      remedy,
    });
  }

  private silent(cause: unknown): Failure {
    return new Failure(
      EXIT.timedOut,
      {
        what: `The console at ${this.url} did not answer within ${this.timeoutMs / 1_000} s.`,
        why: 'It is busy, or its database does not answer.',
        state: 'Unknown whether the request arrived; rotations go on by themselves.',
        remedy: 'See: twinkey status. Allow more time with --timeout.',
      },
      { cause },
    );
  }

  private unreachable(code: string, cause: unknown): Failure {
    return new Failure(
      EXIT.failed,
      {
        what: `The console at ${this.url} cannot be reached.`,
        why: code,
        state: 'Rotations go on without the console; nobody is broken.',
        remedy: 'Start the console, or say where it is with --url or TWINKEY_URL.',
      },
      { cause },
    );
  }
}

export function readNetworkError(error: unknown): { code: string; timedOut: boolean } {
  if (error instanceof Error) {
    if (error.name === 'TimeoutError') return { code: 'timeout', timedOut: true };
    const cause: unknown = error.cause;
    if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string') {
      return { code: cause.code, timedOut: false };
    }
    return { code: error.message, timedOut: false };
  }
  return { code: String(error), timedOut: false };
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    if (typeof body.code === 'string' && typeof body.detail === 'string') {
      return { code: body.code, detail: body.detail };
    }
  } catch {
    // No JSON: a proxy speaks, or the URL leads to something else.
  }
  return {
    code: 'no-problem',
    detail: `${response.url} answered ${response.status}, and not as a console does.`,
  };
}
