const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** The two largest units: `12d4h`, `3m20s`, `4s`. */
export function duration(seconds: number): string {
  let rest = Math.max(0, Math.round(seconds));
  const parts: string[] = [];
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join('') || '0s';
}

/** `in 12d`, `3h ago`, `-`. */
export function relative(moment: string | null, now: number = Date.now()): string {
  if (moment === null) return '-';
  const seconds = (Date.parse(moment) - now) / 1_000;
  return seconds >= 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
}

/** The time of day where the reader is. */
export function clockTime(moment: string): string {
  return new Date(moment).toTimeString().slice(0, 8);
}

/** Steps take fractions of a second in a small installation. */
export function seconds(value: number): string {
  return value < 60 ? `${value.toFixed(1)}s` : duration(value);
}
