/** "Never", as the service writes it: the longest time span of .NET, in ms. */
export const NEVER_MS = 922_337_203_685_477;
const NEVER_TEXT = 'P10675199DT2H48M5.4775807S';

const FORM =
  /^P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Of each part of the form. As .NET reads them, a year has 365 days and a month 30. */
const PART_MS = [365 * 86_400_000, 30 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1000];

/** Milliseconds of an ISO 8601 duration; undefined if it is not one. */
export function durationMs(text: string): number | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const parts = match.slice(1).map((part: string | undefined) => Number(part ?? 0));
  const total = parts.reduce((sum, part, at) => sum + Math.round(part * (PART_MS[at] ?? 0)), 0);
  return Math.min(total, NEVER_MS);
}

export function durationText(ms: number): string {
  if (ms >= NEVER_MS) return NEVER_TEXT;
  const days = Math.floor(ms / 86_400_000);
  const hours = Math.floor(ms / 3_600_000) % 24;
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = (ms % 60_000) / 1000;
  const time =
    (hours > 0 ? `${hours}H` : '') + (minutes > 0 ? `${minutes}M` : '') + (seconds > 0 ? `${seconds}S` : '');
  const text = `P${days > 0 ? `${days}D` : ''}${time === '' ? '' : `T${time}`}`;
  return text === 'P' ? 'PT0S' : text;
}
