import { Failure } from './failure.js';
import { EXIT } from './exit-codes.js';

export const OUTPUTS = ['table', 'json', 'ndjson', 'name'] as const;
export type Output = (typeof OUTPUTS)[number];

/** The options that every command has, as commander hands them over. */
export interface GlobalOptions {
  readonly output: Output;
  readonly url: string;
  readonly color: boolean;
  readonly quiet?: boolean;
  readonly timeout?: number;
}

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90`, `90s`, `5m`, `2h`, `1d` as milliseconds; a bare number counts seconds. */
export function parseDuration(text: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Number(number) * (MS[unit] ?? Number.NaN);
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw usageFailure(`"${text}" is no duration.`, 'A duration is a number with s, m, h or d: 90s, 5m, 2h.');
}

export function parseUrl(text: string): string {
  if (/^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) return text.replace(/\/+$/, '');
  throw usageFailure(
    `"${text}" is no URL of a console.`,
    'It must begin with http:// or https://, for example http://127.0.0.1:4700.',
  );
}

export function usageFailure(what: string, why: string, remedy = 'See: twinkey --help'): Failure {
  return new Failure(EXIT.usage, { what, why, state: 'Nothing was asked of the console.', remedy });
}
