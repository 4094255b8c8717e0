import type { ServiceBusReceivedMessage } from '@azure/service-bus';

/**
 * Calls `lost` when the lock of a message runs out. The SDK renews locks in the background and moves
 * `lockedUntilUtc` on; when it cannot (connection gone, renewal refused) nobody is told, so the time is watched.
 * Returns how to stop watching.
 */
export function watchLock(message: ServiceBusReceivedMessage, lost: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const remainingMs = (message.lockedUntilUtc?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
    if (remainingMs === Number.POSITIVE_INFINITY) return;
    if (remainingMs <= 0) {
      lost();
      return;
    }
    timer = setTimeout(look, remainingMs);
    timer.unref();
  };
  look();
  return () => {
    clearTimeout(timer);
  };
}
