import { setTimeout as delay } from 'node:timers/promises';
import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';
import { call, readText, type Answer, type Call } from './http-call.js';
import { adviceFor, exitCodeFor } from './remedies.js';

const ANSWER_WITHIN_MS = 10_000;
/** A request that got no answer is asked again under the same idempotency key: the console does it once. */
const ATTEMPTS = 3;
const PAUSE_MS = 250;

/** Which service is asked, and how a person says where it is. */
export interface Service {
  readonly name: string;
  readonly settings: string;
}

const CONSOLE: Service = { name: 'console', settings: '--url or TWINKEY_URL' };

interface Problem {
  readonly code: string;
  readonly detail: string;
}

/** The API of the console, or of another service that answers like it. Every method throws a Failure that says what a person needs to know. */
export class ConsoleClient {
  constructor(
    readonly url: string,
    private readonly timeoutMs: number = ANSWER_WITHIN_MS,
    /** Gives the token that the console asks for; absent: none is sent. */
    private readonly authorize?: () => Promise<string>,
    private readonly service: Service = CONSOLE,
  ) {}

  async get<Body>(path: string): Promise<Body> {
    return this.ask<Body>(path, { method: 'GET', headers: { accept: 'application/json' } });
  }

  async post<Body>(path: string, body: object): Promise<Body> {
    return this.ask<Body>(path, { method: 'POST', headers: changing('json'), body: JSON.stringify(body) });
  }

  async put<Body>(path: string, body: object): Promise<Body> {
    return this.ask<Body>(path, { method: 'PUT', headers: changing('json'), body: JSON.stringify(body) });
  }

  async delete<Body>(path: string): Promise<Body> {
    return this.ask<Body>(path, { method: 'DELETE', headers: changing() });
  }

  /** An answer whose body is read as it comes; network errors are the caller's. */
  async open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
    const answer = await call(this.url + path, {
      method: 'GET',
      headers: { ...headers, ...(await this.authorization()) },
      signal,
    });
    if (answer.status >= 400) throw failureOf(this.service, path, answer.status, await readText(answer));
    return answer;
  }

  private async authorization(): Promise<{ authorization?: string }> {
    return this.authorize === undefined ? {} : { authorization: `Bearer ${await this.authorize()}` };
  }

  private async ask<Body>(path: string, asked: Omit<Call, 'signal'>): Promise<Body> {
    const request = { ...asked, headers: { ...asked.headers, ...(await this.authorization()) } };
    for (let attempt = 1; ; attempt += 1) {
      const signal = AbortSignal.timeout(this.timeoutMs);
      try {
        const answer = await call(this.url + path, { ...request, signal });
        const text = await readText(answer);
        if (answer.status >= 400) throw failureOf(this.service, path, answer.status, text);
        return parseBody(this.service, this.url + path, text) as Body;
      } catch (error) {
        if (error instanceof Failure) throw error;
        if (signal.aborted) throw this.silent(error);
        const code = networkCode(error);
        if (attempt === ATTEMPTS || code === 'ECONNREFUSED') throw this.unreachable(code, error);
        await delay(PAUSE_MS);
      }
    }
  }

  private silent(cause: unknown): Failure {
    return new Failure(
      EXIT.timedOut,
      {
        what: `The ${this.service.name} at ${this.url} did not answer within ${this.timeoutMs / 1_000} s.`,
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
        what: `The ${this.service.name} at ${this.url} cannot be reached.`,
        why: code,
        state:
          this.service === CONSOLE
            ? 'Rotations go on without the console; nobody is broken.'
            : 'Rotations that need it wait; nobody is broken.',
        remedy: `Start the ${this.service.name}, or say where it is with ${this.service.settings}.`,
      },
      { cause },
    );
  }
}

/** Headers of a request that changes something, and shall do so once. */
function changing(body?: 'json'): Record<string, string> {
  return {
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    'idempotency-key': crypto.randomUUID(),
  };
}

function failureOf(service: Service, path: string, status: number, text: string): Failure {
  const { code, detail } = readProblem(service, path, status, text);
  const { state, remedy } = adviceFor(code, status);
  return new Failure(exitCodeFor(status), { what: detail, why: `${code} (HTTP ${status})`, state, remedy });
}

function readProblem({ name }: Service, path: string, status: number, text: string): Problem {
  try {
    const { code, detail } = JSON.parse(text) as Partial<Problem>;
    if (typeof code === 'string' && typeof detail === 'string') return { code, detail };
  } catch {
    // No JSON: a proxy speaks, or the URL leads to something else.
  }
  return { code: 'no-problem', detail: `${path} was answered with ${status}, and not as a ${name} does.` };
}

function parseBody({ name, settings }: Service, url: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Failure(
      EXIT.failed,
      {
        what: `${url} does not answer as a ${name} does.`,
        why: 'The answer is no JSON.',
        state: 'Nothing was changed.',
        remedy: `Say where the ${name} is with ${settings}.`,
      },
      { cause },
    );
  }
}

function networkCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
