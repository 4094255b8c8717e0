import type { AccountId } from '@twinkey/contracts';
import type { Terms } from '@twinkey/key-switch';
import type { Bus } from '@twinkey/service-bus';
import type { Log, Metrics } from '@twinkey/service';
import type { Queries } from './tables.js';

/** What the operations of the notifier work with. Everything they know is in the database. */
export interface Shell {
  readonly db: Queries;
  readonly terms: Terms;
  readonly heartbeatSeconds: number;
  /** How many key-changed topics there are. */
  readonly shards: number;
  readonly subscriptions: Bus['subscriptions'];
  /** Instances prove who they are: what is said over the bus counts only when it is signed. */
  readonly asksForTokens: boolean;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Looks at the account at once; a hint only, the nudge in the database is what counts. */
  readonly lookSoon: (account: AccountId) => void;
}

/** Under this name Nest hands the shell to controllers. */
export const SHELL = Symbol('shell');
