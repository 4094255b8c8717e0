import { isObject, jsonValue, type Incoming } from '../host/plugin.js';

export const largestPage = 25;

export interface Page<T> {
  readonly value: readonly T[];
  readonly nextLink: string | null;
}

/**
 * The page that the query asks for, and the link to the next; a text when the query is refused.
 *
 * The link remembers the last item that was shown, not how many: nothing is shown twice or left out when somebody
 * adds or deletes between two pages.
 */
export function page<T>(
  /** Ordered by key. */
  all: readonly (readonly [key: string, item: T])[],
  { origin, segments, query }: Incoming,
): Page<T> | string {
  const size = sizeOf(query.get('maxresults'));
  if (size === undefined) return `maxresults: an integer from 1 to ${largestPage} was expected.`;
  const token = query.get('$skiptoken');
  const marker = token === null ? '' : markerOf(token);
  if (marker === undefined)
    return '$skiptoken: this is no token of a nextLink; start the list anew without it.';
  const rest = all.filter(([key]) => key > marker);
  const shown = rest.slice(0, size);
  const last = shown.at(-1);
  const more = last !== undefined && rest.length > shown.length;
  return {
    value: shown.map(([, item]) => item),
    nextLink: more ? linkAfter(last[0], origin, segments, query) : null,
  };
}

function sizeOf(asked: string | null): number | undefined {
  if (asked === null) return largestPage;
  const size = /^\d+$/.test(asked) ? Number(asked) : 0;
  return size >= 1 && size <= largestPage ? size : undefined;
}

function linkAfter(key: string, origin: string, segments: readonly string[], query: URLSearchParams): string {
  const token = Buffer.from(JSON.stringify({ NextMarker: key })).toString('base64url');
  const kept = new URLSearchParams(query);
  kept.delete('$skiptoken');
  const path = segments.map((segment) => encodeURIComponent(segment)).join('/');
  return `${origin}/${path}?${kept.toString()}&$skiptoken=${token}`;
}

function markerOf(token: string): string | undefined {
  if (!/^[\w-]+$/.test(token)) return undefined;
  const read = jsonValue(Buffer.from(token, 'base64url'));
  const marker = isObject(read) ? read['NextMarker'] : undefined;
  return typeof marker === 'string' && marker !== '' ? marker : undefined;
}
