import { isInterrupted, isPermanentFault, isTransientFault } from '@twinkey/contracts';

const DEEPEST_CAUSE = 4;

/**
 * An error as it may be logged: a list of what is shown, because errors of SDKs carry requests and responses with
 * tokens and keys in them. Faults explain themselves and need no stack; a defect does.
 */
export function loggableError(error: Error, depth = 0): object {
  const { code, statusCode, remedy } = error as Error & Record<'code' | 'statusCode' | 'remedy', unknown>;
  const explained = isTransientFault(error) || isPermanentFault(error) || isInterrupted(error);
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof statusCode === 'number' ? { statusCode } : {}),
    ...(typeof remedy === 'string' ? { remedy } : {}),
    ...(explained || depth > 0 ? {} : { stack: error.stack }),
    ...(error.cause instanceof Error && depth < DEEPEST_CAUSE
      ? { cause: loggableError(error.cause, depth + 1) }
      : {}),
  };
}

/** The fields of a log line with every error among them made loggable. */
export function loggableFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? loggableError(value) : value,
    ]),
  );
}
