import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

/** Nest's own log lines in ours. What it tells about routes and modules is for debugging only. */
export function nestLog(log: Log): LoggerService {
  const entry = (rest: unknown[]) => {
    const context = rest.at(-1);
    return typeof context === 'string' ? { context } : {};
  };
  return {
    log: (message: unknown, ...rest: unknown[]) => {
      log.debug(entry(rest), textOf(message));
    },
    debug: (message: unknown, ...rest: unknown[]) => {
      log.debug(entry(rest), textOf(message));
    },
    verbose: (message: unknown, ...rest: unknown[]) => {
      log.debug(entry(rest), textOf(message));
    },
    warn: (message: unknown, ...rest: unknown[]) => {
      log.warn(entry(rest), textOf(message));
    },
    error: (message: unknown, ...rest: unknown[]) => {
      log.error({ ...entry(rest), ...errorIn(message, rest) }, textOf(message));
    },
    fatal: (message: unknown, ...rest: unknown[]) => {
      log.error({ ...entry(rest), ...errorIn(message, rest) }, textOf(message));
    },
  };
}

function textOf(message: unknown): string {
  if (message instanceof Error) return message.message;
  return typeof message === 'string' ? message : JSON.stringify(message);
}

/** Nest passes an error, or its stack as the text after the message. */
function errorIn(message: unknown, rest: readonly unknown[]): object {
  if (message instanceof Error) return { err: message };
  const stack = rest.find((value) => typeof value === 'string' && value.includes('\n    at '));
  return stack === undefined ? {} : { stack };
}
