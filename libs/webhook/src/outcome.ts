// What became of an attempt: classed by what happens next.
import { retryAfterMs } from './retry-after.js';

export type Outcome =
  /** A 2xx answer. */
  | {
      readonly outcome: 'delivered';
      readonly status: number;
      /**
       * The answer read as JSON; undefined when it is none, or longer than allowed. A function, so that nothing that
       * prints an outcome prints what a stranger wrote.
       */
      readonly answer: () => unknown;
    }
  /** Try again, no earlier than `retryAfterMs` when the receiver said so. */
  | {
      readonly outcome: 'retry';
      readonly why: RetryReason;
      readonly detail: string;
      readonly status?: number;
      readonly retryAfterMs?: number;
    }
  /** 410 Gone: the receiver wants nothing more. Sending goes on only when a person says so. */
  | { readonly outcome: 'stop'; readonly why: 'gone'; readonly detail: string; readonly status: 410 };

export type RetryReason =
  | 'destination-refused'
  | 'name-unknown'
  | 'unreachable'
  | 'certificate-refused'
  | 'timed-out'
  | 'redirected'
  | 'status'
  | 'answer-cut-off'
  | 'interrupted';

/** The outcome of an answer that came. `body` is null when it was longer than allowed. */
export function outcomeOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: Buffer | null,
  now: Date,
): Outcome {
  if (status >= 200 && status <= 299) return { outcome: 'delivered', status, answer: () => jsonIn(body) };
  if (status === 410) {
    return { outcome: 'stop', why: 'gone', detail: 'The receiver is gone for good (410).', status };
  }
  if (status >= 300 && status <= 399) {
    return {
      outcome: 'retry',
      why: 'redirected',
      detail: `The receiver answered with a redirect (${status}), and redirects are not followed: declare the new URL.`,
      status,
    };
  }
  const header = headers['retry-after'];
  const wait = typeof header === 'string' ? retryAfterMs(header, now) : undefined;
  return {
    outcome: 'retry',
    why: 'status',
    detail: `The receiver answered ${status}.`,
    status,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
}

/** The outcome of an attempt that ended without an answer. */
export function failedAttempt(error: unknown): Outcome {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  if (/^(ENOTFOUND|EAI_|ENODATA)/.test(code))
    return retry('name-unknown', `The name was not found (${code}).`);
  if (/CERT|SELF_SIGNED|ISSUER|SIGNATURE_FAILURE|ALTNAME/.test(code)) {
    return retry('certificate-refused', `The receiver's certificate is not trusted (${code}).`);
  }
  return retry('unreachable', `The receiver was not reached (${code === '' ? 'no code' : code}).`);
}

export function retry(why: RetryReason, detail: string): Outcome {
  return { outcome: 'retry', why, detail };
}

function jsonIn(body: Buffer | null): unknown {
  if (body === null) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
