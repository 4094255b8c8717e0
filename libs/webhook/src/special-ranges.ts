// Addresses that are not "somebody out on the internet" (IANA's special-purpose registries, and what clouds use for
// themselves). A request to them reaches what trusts its neighbours.
import { isWithin, readRange, type Address, type Range } from './address.js';

export interface SpecialRange extends Range {
  readonly what: string;
}

const named: readonly (readonly [what: string, ...ranges: string[]])[] = [
  ['this host', '0.0.0.0/8', '::/128'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared by carriers', '100.64.0.0/10'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  // Narrower than what is around them: whoever names link-local has not named these.
  ['metadata of a cloud', '169.254.169.254/32', '169.254.170.2/32', 'fd00:ec2::254/128', '168.63.129.16/32'],
  ['metadata of a cloud', '100.100.100.200/32', '192.0.0.192/32'],
  ['for protocols', '192.0.0.0/24', '192.88.99.0/24', '2001::/23', '2002::/16', '64:ff9b:1::/48', '::/96'],
  ['for examples', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['for measurements', '198.18.0.0/15'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '240.0.0.0/4', '100::/64', '5f00::/16'],
];

/** The only part of IPv6 from which global addresses are given out. */
const GLOBAL_IPV6 = rangeOf('2000::/3');

const SPECIAL: readonly SpecialRange[] = named.flatMap(([what, ...ranges]) =>
  ranges.map((range) => ({ ...rangeOf(range), what })),
);

/** The special ranges in which an address lies, the narrowest first; none for one that is public. */
export function specialRangesOf(address: Address): readonly SpecialRange[] {
  const found = SPECIAL.filter((range) => isWithin(address, range)).sort(
    (one, other) => other.bits - one.bits,
  );
  if (found.length > 0 || address.version === 4 || isWithin(address, GLOBAL_IPV6)) return found;
  return [{ version: 6, value: (address.value >> 125n) << 125n, bits: 3, what: 'reserved' }];
}

function rangeOf(text: string): Range {
  const range = readRange(text);
  if (range === null) throw new TypeError(`${text} is no range of addresses.`);
  return range;
}
