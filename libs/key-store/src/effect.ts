// One attempt at a call that changes something. It ends in exactly one of four ways, and whoever committed an
// intent before it records that end.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { PermanentFault, TransientFault } from '@twinkey/contracts';
import { describeError, isTokenFailure, neverConnected, statusOf } from './faults.js';

/** What one call may take, and the caller's last word. */
export interface CallBudget {
  /** Milliseconds for the whole call, waiting for a write token and for a bearer token included. */
  readonly deadlineMs: number;
  /** Asked as the last thing before the bytes leave. False: nothing is sent. */
  readonly maySend: () => boolean;
}

/**
 * `not-sent` and `refused`: nothing was executed. `in-doubt`: it may have been executed, or may still be.
 */
export type Effect<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'not-sent'; readonly code: NotSentCode; readonly message: string }
  | { readonly outcome: 'refused'; readonly fault: TransientFault | PermanentFault }
  | { readonly outcome: 'in-doubt'; readonly message: string };

export type NotSentCode = 'may-not-send' | 'deadline-passed' | 'token-unavailable';

class NotSent extends Error {
  override readonly name = 'NotSent';
  constructor(
    readonly code: NotSentCode,
    message: string,
  ) {
    super(message);
  }
}

interface Attempt {
  /** Something left that may have been executed: not any more after an answer that says "not executed". */
  isSent: boolean;
  /** Nothing leaves from this moment on, by the monotonic clock. */
  closesAt: number;
  readonly maySend: () => boolean;
}

const current = new AsyncLocalStorage<Attempt | undefined>();

/** For requests that several attempts share (warming up): none of them is the attempt's own. */
export function outsideAttempts<T>(call: () => T): T {
  return current.run(undefined, call);
}

/** Calls and their times are measured on the monotonic clock: a corrected wall clock must not extend a deadline. */
const monotonicMs = (): number => performance.now();

/**
 * The gate of clients that change something. It has to be the last policy of the pipeline and after the retry
 * phase: whatever resends a request (a challenge, a redirect) passes here again. What is sent outside an
 * attempt (warming up, reading) passes freely.
 */
export const sendGate: PipelinePolicy = {
  name: 'twinkeySendGate',
  async sendRequest(request, next) {
    const attempt = current.getStore();
    if (attempt === undefined) return next(request);
    if (monotonicMs() >= attempt.closesAt) {
      throw new NotSent('deadline-passed', 'the deadline passed before the request was sent');
    }
    if (!attempt.maySend()) throw new NotSent('may-not-send', 'sending was not allowed any more');
    attempt.isSent = true;
    const answer = await next(request);
    if (saysNotExecuted(answer.status)) attempt.isSent = false;
    return answer;
  },
};

/** 408 is a 4xx, but it says only that somebody on the way lost patience. */
function saysNotExecuted(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408;
}

/**
 * Runs `call`, whose requests pass `sendGate`, once. Does not wait beyond the deadline for anyone, a token
 * request that ignores its signal included: it closes the gate behind it.
 */
export async function attemptOnce<T>(
  budget: CallBudget,
  call: (signal: AbortSignal) => Promise<T>,
  toFault: (error: unknown) => TransientFault | PermanentFault,
): Promise<Effect<T>> {
  const attempt: Attempt = {
    isSent: false,
    closesAt: monotonicMs() + budget.deadlineMs,
    maySend: budget.maySend,
  };
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, budget.deadlineMs);
  });
  const answer = current
    .run(attempt, () => call(abort.signal))
    .then(
      (value): Effect<T> => ({ outcome: 'done', value }),
      (error: unknown): Effect<T> => judge(error, attempt, toFault),
    );
  const first = await Promise.race([answer, deadline]);
  clearTimeout(timer);
  if (first !== undefined) return first;
  // The timer may be a moment ahead of the clock that the gate reads.
  attempt.closesAt = -Infinity;
  abort.abort();
  return attempt.isSent
    ? { outcome: 'in-doubt', message: `no answer within ${budget.deadlineMs} ms` }
    : {
        outcome: 'not-sent',
        code: 'deadline-passed',
        message: `not sent within ${budget.deadlineMs} ms: no bearer token or connection in time`,
      };
}

function judge<T>(
  error: unknown,
  attempt: Attempt,
  toFault: (error: unknown) => TransientFault | PermanentFault,
): Effect<T> {
  if (error instanceof NotSent) return { outcome: 'not-sent', code: error.code, message: error.message };
  const status = statusOf(error);
  if (status !== undefined && saysNotExecuted(status)) return { outcome: 'refused', fault: toFault(error) };
  if (attempt.isSent && !neverConnected(error)) {
    return { outcome: 'in-doubt', message: describeError(error) };
  }
  if (isTokenFailure(error)) {
    return { outcome: 'not-sent', code: 'token-unavailable', message: describeError(error) };
  }
  return { outcome: 'refused', fault: toFault(error) };
}
