import { isTransientFault, isPermanentFault, TransientFault, type PermanentFault } from '@twinkey/contracts';

/**
 * A call that changes nothing: it may be asked again, so every failure is a fault to throw. Does not wait
 * beyond the deadline, even when something on the way (a token request) ignores the signal.
 */
export async function readWithin<T>(
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<T>,
  toFault: (error: unknown) => TransientFault | PermanentFault,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new TransientFault('deadline-passed', `no answer within ${deadlineMs} ms`));
      abort.abort();
    }, deadlineMs);
  });
  try {
    return await Promise.race([call(abort.signal), deadline]);
  } catch (error) {
    throw isTransientFault(error) || isPermanentFault(error) ? error : toFault(error);
  } finally {
    clearTimeout(timer);
  }
}
