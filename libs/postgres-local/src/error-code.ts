/**
 * The code of a system or PostgreSQL error. By shape and not by `instanceof Error`: an error of Node's own is of
 * another realm than the code that a test runner loads.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
