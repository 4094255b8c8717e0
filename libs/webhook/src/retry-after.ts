/** For how long a server asks to be left alone (RFC 9110, 10.2.3); undefined when it does not, or cannot be understood. */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  const written = header.trim();
  if (/^\d{1,9}$/.test(written)) return Number(written) * 1000;
  // Dates of HTTP begin with the day of the week; Date.parse alone would take "7 apples" for the month of July.
  const at = /^[A-Z][a-z]+,? .*\d{2}:\d{2}:\d{2}/.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
