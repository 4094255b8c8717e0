// ISO 8601 durations, as Azure writes them: P30D, PT15M, P1DT12H, PT0.5S.

export type Duration =
  { readonly ok: true; readonly seconds: number } | { readonly ok: false; readonly problem: string };

const DURATION = /^P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,3})?)S)?)?)$/;
const CALENDAR = /^P(?:\d+Y|(?:\d+Y)?\d+M)/;
// 100 years. Beyond it a due time is no longer a date that PostgreSQL and JavaScript agree on.
const MOST_SECONDS = 100 * 365 * 86_400;

/** Seconds of an ISO 8601 duration, or a sentence that says what is wrong and how to write it. */
export function parseDuration(text: string): Duration {
  if (CALENDAR.test(text)) {
    return refused('months and years have no fixed length; count in days, for example P30D');
  }
  const [, weeks, days, hours, minutes, seconds] = DURATION.exec(text) ?? [];
  if ([weeks, days, hours, minutes, seconds].every((part) => part === undefined) || text.endsWith('T')) {
    return refused(
      'must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, for example P30D or PT15M',
    );
  }
  const total =
    Number(weeks ?? 0) * 604_800 +
    Number(days ?? 0) * 86_400 +
    Number(hours ?? 0) * 3_600 +
    Number(minutes ?? 0) * 60 +
    Number(seconds ?? 0);
  return total <= MOST_SECONDS ? { ok: true, seconds: total } : refused('must not be longer than 100 years');
}

function refused(problem: string): Duration {
  return { ok: false, problem };
}
