// Where webhooks may go. Each address of a destination must be allowed by an entry: as an address of that host or as one
// of a range, with the scheme and the port.
import { isWithin, reachedBy, readAddress, readRange, type Address, type Range } from './address.js';
import { specialRangesOf } from './special-ranges.js';

interface Entry {
  readonly scheme: 'https' | 'http';
  /** `*`: any. */
  readonly port: number | '*';
  readonly who:
    | { readonly kind: 'public' }
    /** `contoso.example`: this host. `.contoso.example`: the hosts below it. */
    | { readonly kind: 'host'; readonly name: string }
    | { readonly kind: 'range'; readonly range: Range };
}

export interface AllowList {
  readonly entries: readonly Entry[];
}

/** What is to be reached, after its name was looked up. */
export interface Destination {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** An entry that cannot be read; the message names it and says how one is written. */
export class InvalidAllowList extends Error {
  override readonly name = 'InvalidAllowList';
}

/** Every public address over HTTPS at its usual port. */
export const DEFAULT_ALLOW_LIST = 'public';

/**
 * Reads entries, separated by commas or spaces: `public`, a host, `.` and a domain, an address or a range (CIDR); in
 * front of it `http://` to allow plain HTTP, after it `:PORT` or `:*` for another port than the usual one. IPv6 with a
 * port stands in brackets.
 */
export function readAllowList(text: string): AllowList {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  if (entries.length === 0) throw new InvalidAllowList('An allow-list names one destination at least.');
  return { entries: entries.map(readEntry) };
}

/**
 * Why nothing may be sent there, as one sentence; null when every address is allowed. One that is not makes the whole
 * name suspicious: among public addresses an internal one is an attack or a mistake, and none of them is used.
 */
export function refusalOf({ entries }: AllowList, destination: Destination): string | null {
  const { host, addresses } = destination;
  if (addresses.length === 0) return `"${host}" has no address.`;
  for (const text of addresses) {
    const address = readAddress(text);
    if (address === null) return `"${host}" was looked up and gave something that is no address.`;
    const refusal = refusalOfAddress(entries, destination, reachedBy(address));
    if (refusal !== null) return refusal;
  }
  return null;
}

function refusalOfAddress(
  entries: readonly Entry[],
  { scheme, host, port }: Destination,
  address: Address,
): string | null {
  const fitting = entries.filter((entry) => fits(entry, host, address));
  const ofScheme = fitting.filter((entry) => entry.scheme === scheme);
  if (ofScheme.some((entry) => entry.port === '*' || entry.port === port)) return null;
  if (ofScheme.length > 0) return `Port ${port} of ${host} is not allowed.`;
  if (fitting.length > 0) return `${host} is allowed, but not over ${scheme}.`;
  const [special] = specialRangesOf(address);
  return special === undefined
    ? `${host} is not on the allow-list.`
    : `${host} leads to an address that is ${special.what}, and the allow-list does not name that network.`;
}

function fits({ who }: Entry, host: string, address: Address): boolean {
  if (who.kind === 'range') return names(who.range, address);
  return specialRangesOf(address).length === 0 && (who.kind === 'public' || isOf(who.name, host));
}

/** A range names a special address only when it lies within that special range: 0.0.0.0/0 names no loopback. */
function names(range: Range, address: Address): boolean {
  return isWithin(address, range) && specialRangesOf(address).every(({ bits }) => range.bits >= bits);
}

function isOf(name: string, host: string): boolean {
  const plain = host.toLowerCase().replace(/\.$/, '');
  return name.startsWith('.') ? plain.endsWith(name) && plain.length > name.length : plain === name;
}

const SHAPE =
  /^(?:(?<scheme>https?):\/\/)?(?:\[(?<bracketed>[^\]]+)\](?<length>\/\d+)?|(?<plain>[^[\]]+?))(?::(?<port>\d+|\*))?$/;

function readEntry(text: string): Entry {
  // Without brackets what follows the last colon of an IPv6 address would be taken for a port.
  const bare = readRange(text);
  if (bare !== null) return { scheme: 'https', port: 443, who: { kind: 'range', range: bare } };

  const { scheme, bracketed, length, plain, port } = SHAPE.exec(text)?.groups ?? {};
  const name = bracketed === undefined ? plain : `${bracketed}${length ?? ''}`;
  if (name === undefined) throw unreadable(text);
  const number = port === undefined ? undefined : port === '*' ? '*' : Number(port);
  if (typeof number === 'number' && (number < 1 || number > 65_535)) throw unreadable(text);
  const by = scheme === 'http' ? 'http' : 'https';
  const where = { scheme: by, port: number ?? (by === 'http' ? 80 : 443) } as const;

  const range = readRange(name);
  if (range !== null) return { ...where, who: { kind: 'range', range } };
  if (name === 'public') {
    if (by === 'http') {
      throw new InvalidAllowList(
        '"http://public" would send over the internet in the clear: name hosts instead.',
      );
    }
    return { ...where, who: { kind: 'public' } };
  }
  const isHost = /^\.?[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/i.test(name);
  // What ends in a number is an address that was spelled in some other way, or a range that begins within another.
  if (!isHost || /(^|\.)(0x[0-9a-f]*|\d+)$/i.test(name)) throw unreadable(text);
  return { ...where, who: { kind: 'host', name: name.toLowerCase() } };
}

function unreadable(entry: string): InvalidAllowList {
  return new InvalidAllowList(
    `"${entry}" is none of: public, HOST, .DOMAIN, ADDRESS, RANGE/BITS (with no bits beyond), with http:// in front or :PORT behind.`,
  );
}
