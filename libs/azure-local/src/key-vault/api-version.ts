/** What an answer names to a client that asks for a version which is not served. */
export const latestApiVersion = '2025-07-01';

/** Numbered versions end at 7.6; from then on they are dates. */
const numbered = /^7\.[0-6](-preview(\.\d+)?)?$/i;
const dated = /^(\d{4}-\d\d-\d\d)(-preview(\.\d+)?)?$/i;
const datedBefore: readonly string[] = ['2015-06-01', '2016-10-01'];
const firstOfTheNewDates = '2025-06-01';

/**
 * Why the service refuses an `api-version`; `undefined` when it serves it. Any date from the first new one on is
 * served, because newer SDKs ask for newer dates and secrets have looked alike in all of them.
 */
export function refuseApiVersion(asked: string | null): string | undefined {
  if (asked === null || asked === '') return 'api-version must be specified';
  const date = dated.exec(asked)?.[1];
  const isServed =
    numbered.test(asked) || datedBefore.includes(asked) || (date !== undefined && date >= firstOfTheNewDates);
  if (isServed) return undefined;
  return `The specified version (${asked}) is not recognized. Consider using the latest supported version (${latestApiVersion}).`;
}
