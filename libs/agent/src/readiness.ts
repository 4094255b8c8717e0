import { spawn } from 'node:child_process';
import type { Clock } from './clock.js';
import { Refused } from './target.js';

/** How one finds out that a program works with its new key. */
export interface Readiness {
  /** For a shell; exit code 0 is ready. */
  readonly command?: string | undefined;
  /** Ready when it is answered with 2xx. */
  readonly url?: string | undefined;
  readonly withinMs: number;
  /** The pause between two tries. */
  readonly everyMs: number;
}

/** A probe that hangs says as little as one that fails. */
const TRY_WITHIN_MS = 10_000;

/** What commands may see of the environment: all of it, and what is added here. Never a key. */
export type Surroundings = Readonly<Record<string, string>>;

/** Resolves when the program is ready, or the signal aborts; a Refused when it is not ready in time. */
export async function untilReady(
  { command, url, withinMs, everyMs }: Readiness,
  { clock, signal, surroundings }: { clock: Clock; signal: AbortSignal; surroundings: Surroundings },
): Promise<void> {
  const giveUpAt = clock.now() + withinMs;
  const probes = [
    ...(command === undefined ? [] : [() => tryCommand(command, surroundings, signal)]),
    ...(url === undefined ? [] : [() => tryUrl(url, signal)]),
  ];
  const isOver = (): boolean => signal.aborted;
  for (const probe of probes) {
    for (let failure = await probe(); failure !== undefined && !isOver(); failure = await probe()) {
      if (clock.now() + everyMs > giveUpAt)
        throw new Refused(`not ready within ${withinMs / 1000} s: ${failure}`);
      await clock.wait(everyMs, signal);
    }
  }
}

/** Undefined, or why not. */
function tryCommand(
  command: string,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, {
      shell: true,
      stdio: 'ignore',
      env: { ...process.env, ...surroundings },
      timeout: TRY_WITHIN_MS,
      killSignal: 'SIGKILL',
    });
    const stop = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', ({ message }) => {
      resolve(`the ready command does not start (${message})`);
    });
    child.once('close', (code, by) => {
      signal.removeEventListener('abort', stop);
      resolve(code === 0 ? undefined : `the ready command ended with ${by ?? code ?? 'nothing'}`);
    });
  });
}

async function tryUrl(url: string, signal: AbortSignal): Promise<string | undefined> {
  // Credentials and queries of addresses are nobody's business.
  const { origin, pathname } = new URL(url);
  try {
    const answer = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_WITHIN_MS)]),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `${origin}${pathname} answers ${answer.status}`;
  } catch {
    return `${origin}${pathname} does not answer`;
  }
}
