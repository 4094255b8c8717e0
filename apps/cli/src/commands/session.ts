import { userInfo } from 'node:os';
import { ConsoleClient } from '../console-client.js';
import { authorizer } from '../identity.js';
import { screenFor, type Screen } from '../screen.js';
import type { GlobalOptions } from '../settings.js';

/** What every command works with. */
export interface Session {
  readonly client: ConsoleClient;
  readonly screen: Screen;
  /** How long to wait for an outcome; undefined: for ever. */
  readonly timeoutMs: number | undefined;
}

export function sessionFor(options: GlobalOptions): Session {
  return {
    client: new ConsoleClient(options.url, options.timeout, authorizer(process.env)),
    screen: screenFor(options),
    timeoutMs: options.timeout,
  };
}

/** Who asks, for the audit. */
export function askedBy(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user id that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
