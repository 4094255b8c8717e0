import { json, type Incoming, type Reply } from '../host/plugin.js';
import { skipTokenInvalid } from './errors.js';

const mark = 'after ';

/**
 * One page of a list that is sorted by name. The token names the last one shown, so that whatever comes and goes
 * between two pages, nobody is shown twice and nobody that stays is left out.
 */
export function page<T extends { readonly name: string }>(
  all: readonly T[],
  { origin, segments, query }: Incoming,
  pageSize: number,
  show: (one: T) => unknown,
): Reply {
  const token = query.get('$skiptoken');
  const last = token === null ? '' : readToken(token);
  if (last === undefined) return skipTokenInvalid();
  const rest = all.filter(({ name }) => name.toLowerCase() > last);
  const shown = rest.slice(0, pageSize);
  const next = new URLSearchParams(query);
  next.set('$skiptoken', tokenAfter(shown.at(-1)?.name ?? ''));
  const path = segments.map(encodeURIComponent).join('/');
  return json(200, {
    value: shown.map(show),
    ...(rest.length > shown.length ? { nextLink: `${origin}/${path}?${next.toString()}` } : {}),
  });
}

function tokenAfter(name: string): string {
  return Buffer.from(`${mark}${name.toLowerCase()}`).toString('base64url');
}

function readToken(token: string): string | undefined {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith(mark)) return undefined;
  const name = text.slice(mark.length);
  return tokenAfter(name) === token ? name : undefined;
}
