import { setTimeout as sleep } from 'node:timers/promises';
import { isInterrupted, isPermanentFault, isTransientFault } from '@twinkey/contracts';
import type { Log } from './log.js';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface Waiting {
  /** What is waited for, in the words of a log line: `the database`. */
  readonly what: string;
  readonly log: Log;
  /** Ends the waiting; the promise rejects with the signal's reason. */
  readonly signal: AbortSignal;
  /** Also go on after faults that trying again does not mend, because a person may mend them meanwhile. */
  readonly evenPermanent?: boolean;
}

/** Tries until it works, with a line when the reason for waiting changes and one when it is over. */
export async function waitFor<Result>(
  attempt: () => Promise<Result>,
  { what, log, signal, evenPermanent = false }: Waiting,
): Promise<Result> {
  let told: string | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      if (told !== undefined) log.info({}, `The service has ${what} now`);
      return result;
    } catch (error) {
      const mayPass =
        isTransientFault(error) || isInterrupted(error) || (evenPermanent && isPermanentFault(error));
      if (!mayPass) throw error;
      if (told !== error.code) log.warn({ code: error.code }, `Waiting for ${what}: ${sentence(error)}`);
      told = error.code;
    }
    await sleep(pauseMs, undefined, { signal, ref: true }).catch(() => undefined); // the loop looks at the signal
  }
}

function sentence(error: Error & { remedy?: string | undefined }): string {
  return error.remedy === undefined || error.message.includes(error.remedy)
    ? error.message
    : `${error.message} ${error.remedy}`;
}
