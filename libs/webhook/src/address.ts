// IP addresses as numbers, so that one address has one form however it is written.
import { isIP } from 'node:net';

export interface Address {
  readonly version: 4 | 6;
  readonly value: bigint;
}

/** Addresses that begin with the same bits. */
export interface Range extends Address {
  readonly bits: number;
}

const widths = { 4: 32, 6: 128 } as const;

/** Reads an address in its usual spelling; null for anything else, decimal and octal spellings of IPv4 included. */
export function readAddress(text: string): Address | null {
  const [written = ''] = text.split('%'); // a zone (fe80::1%eth0) says through which interface, not where to
  const version = isIP(written);
  if (version === 4) return { version: 4, value: ipv4(written) };
  if (version === 6) return { version: 6, value: ipv6(written) };
  return null;
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or one address. Null unless the address is the first one of the range. */
export function readRange(text: string): Range | null {
  const [written = '', length, ...more] = text.split('/');
  const address = readAddress(written);
  if (address === null || more.length > 0 || written.includes('%')) return null;
  const width = widths[address.version];
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return null;
  const bits = length === undefined ? width : Number(length);
  const range = { ...address, bits };
  if (bits > width || prefixOf(address, bits) << BigInt(width - bits) !== address.value) return null;
  return range;
}

export function isWithin(address: Address, range: Range): boolean {
  return address.version === range.version && prefixOf(address, range.bits) === prefixOf(range, range.bits);
}

/**
 * The address that is really reached: IPv4-mapped (`::ffff:a.b.c.d`) and well-known NAT64 (`64:ff9b::a.b.c.d`,
 * RFC 6052) addresses are IPv4 in other clothes.
 */
export function reachedBy(address: Address): Address {
  if (address.version === 4) return address;
  const head = address.value >> 32n;
  if (head !== 0xffffn && head !== 0x64ff9bn << 64n) return address;
  return { version: 4, value: address.value & 0xffffffffn };
}

function prefixOf({ version, value }: Address, bits: number): bigint {
  return value >> BigInt(widths[version] - bits);
}

function ipv4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function ipv6(text: string): bigint {
  const groups = text.replace(/[^:]+\.[^:]+$/, (tail) => {
    const value = ipv4(tail);
    return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  });
  const [left = '', right] = groups.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}
