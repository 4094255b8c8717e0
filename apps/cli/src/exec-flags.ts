import type { Readiness } from '@twinkey/agent';
import {
  type CommonFlags,
  consumerIn,
  namedAccounts,
  type NamedAccounts,
  readinessIn,
  span,
  VARIABLE,
} from './flag-rules.js';

/** As commander hands them over. */
export interface ExecFlags extends CommonFlags {
  readonly env?: readonly string[];
  readonly grace: string;
  readonly overlap?: boolean;
  readonly settle: string;
}

export interface ExecPlan extends NamedAccounts {
  readonly consumer: string;
  readonly readiness: Readiness | undefined;
  readonly graceMs: number;
  readonly settleMs: number;
  readonly overlap: boolean;
  readonly tryAgainMs: number;
}

/** Throws a Failure for the first flag that is wrong. */
export function readExecFlags(flags: ExecFlags): ExecPlan {
  return {
    consumer: consumerIn(flags),
    ...namedAccounts(flags.account, flags.env, { flag: '--env', ...VARIABLE }),
    readiness: readinessIn(flags),
    graceMs: span('--grace', flags.grace),
    settleMs: span('--settle', flags.settle),
    overlap: flags.overlap ?? false,
    tryAgainMs: span('--try-again', flags.tryAgain),
  };
}
