import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { describeProblem, isInterrupted, isPermanentFault, isTransientFault } from '@twinkey/contracts';
import { ZodError } from 'zod';
import { REQUEST_LIMITS } from './http/limits.js';

/** An HTTP answer that is an error: thrown by controllers, sent as RFC 9457 problem+json. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  constructor(
    readonly status: number,
    /** Stable, kebab-case: programs compare it. */
    readonly code: string,
    /** One sentence for a person. */
    readonly detail: string,
    options: { cause?: unknown; retryAfterSeconds?: number } = {},
  ) {
    super(detail, options);
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  /** When the same request may succeed. */
  readonly retryAfterSeconds: number | undefined;
}

/** RFC 9457, with the stable `code` that programs compare. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
}

export interface Problem {
  readonly body: ProblemBody;
  readonly retryAfterSeconds?: number;
  /** Nobody expected it: it belongs into the log. */
  readonly defect?: true;
}

/** What an error means over HTTP; the only place that knows status numbers. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Error && error.name === 'HttpProblem') {
    const { status, code, detail, retryAfterSeconds } = error as HttpProblem;
    const body = bodyOf(status, code, detail);
    return retryAfterSeconds === undefined ? { body } : { body, retryAfterSeconds };
  }
  if (error instanceof ZodError)
    return { body: bodyOf(400, 'invalid-request', `${describeProblem(error)}.`) };
  if (isTransientFault(error)) {
    return {
      body: bodyOf(503, error.code, error.message),
      retryAfterSeconds: Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000)),
    };
  }
  if (isInterrupted(error)) return { body: bodyOf(503, error.code, error.message), retryAfterSeconds: 1 };
  if (isPermanentFault(error)) {
    const { code, message, remedy } = error;
    return { body: bodyOf(500, code, remedy === undefined ? message : `${message} ${remedy}`) };
  }
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return { body: bodyOf(status, codeOf(status), withRemedy(status, error.message)) };
  }
  const refused = refusedByFastify(error);
  if (refused !== undefined) return { body: bodyOf(refused.status, codeOf(refused.status), refused.detail) };
  return {
    body: bodyOf(500, 'defect', 'Something unexpected happened. The log of the service says what.'),
    defect: true,
  };
}

function bodyOf(status: number, code: string, detail: string): ProblemBody {
  return { type: `urn:twinkey:problem:${code}`, title: titleOf(status), status, detail, code };
}

function titleOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

function codeOf(status: number): string {
  return titleOf(status)
    .toLowerCase()
    .replace(/[^a-z]+/g, '-');
}

/** What to do about it; Fastify says only what it met. */
const REMEDIES: Readonly<Record<number, string>> = {
  413: `A request may have ${REQUEST_LIMITS.bodyBytes} bytes: say less at once.`,
  414: 'Ask with a shorter name.',
  415: 'Send JSON, with the header content-type: application/json.',
};

/** Fastify refuses bodies that are too large or no JSON before any handler sees them. */
function refusedByFastify(error: unknown): { status: number; detail: string } | undefined {
  if (!(error instanceof Error)) return undefined;
  const { statusCode } = error as Error & { statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  return { status: statusCode, detail: withRemedy(statusCode, error.message) };
}

function withRemedy(status: number, said: string): string {
  const remedy = REMEDIES[status];
  return remedy === undefined ? said : `${said.replace(/[^.]$/, '$&.')} ${remedy}`;
}
