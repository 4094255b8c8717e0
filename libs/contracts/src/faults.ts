// Faults are classed by what happens next, not by what went wrong. Guards go by name, so that two copies of
// this file in one process do not matter.

/** Try again later. Unless `retryAfterMs` names a time, whoever catches it chooses one. */
export class TransientFault extends Error {
  override readonly name = 'TransientFault';
  readonly retryAfterMs: number | undefined;
  constructor(
    readonly code: string,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Trying again changes nothing: stop, say why and what a person can do. */
export class PermanentFault extends Error {
  override readonly name = 'PermanentFault';
  readonly remedy: string | undefined;
  constructor(
    readonly code: string,
    message: string,
    options: { cause?: unknown; remedy?: string } = {},
  ) {
    super(message, { cause: options.cause });
    this.remedy = options.remedy;
  }
}

/** A lock or lease is lost, or the process shuts down: touch nothing more, someone else goes on. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(
    readonly code: string,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}

export function isTransientFault(error: unknown): error is TransientFault {
  return error instanceof Error && error.name === 'TransientFault';
}

export function isPermanentFault(error: unknown): error is PermanentFault {
  return error instanceof Error && error.name === 'PermanentFault';
}

export function isInterrupted(error: unknown): error is Interrupted {
  return error instanceof Error && error.name === 'Interrupted';
}
