import type { Chance } from './chance.js';

/** Numbers at which lengths and counts go wrong. */
const edges = [
  0, 1, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

/** A few changes to bytes that were good; `donors` lend pieces of other good ones. */
export function mutate(good: Buffer, donors: readonly Buffer[], chance: Chance): Buffer {
  let bytes = good;
  const changes = 1 + chance.whole(4);
  for (let n = 0; n < changes; n += 1) bytes = change(bytes, donors, chance);
  return bytes;
}

function change(bytes: Buffer, donors: readonly Buffer[], chance: Chance): Buffer {
  const at = chance.whole(bytes.length + 1);
  const size = Math.min(bytes.length - at, 1 + chance.whole(16));
  const [before, piece, after] = [
    bytes.subarray(0, at),
    bytes.subarray(at, at + size),
    bytes.subarray(at + size),
  ];
  switch (chance.whole(8)) {
    case 0:
      return Buffer.concat([before, piece.map((byte) => byte ^ (1 << chance.whole(8))), after]);
    case 1:
      return Buffer.concat([before, chance.bytes(size), after]);
    case 2:
      return Buffer.concat([before, after]);
    case 3:
      return Buffer.concat([before, piece, piece, after]);
    case 4:
      return Buffer.concat([before, chance.bytes(1 + chance.whole(16)), piece, after]);
    case 5:
      return Buffer.concat([before, edge(chance), after.subarray(Math.min(after.length, 3))]);
    case 6:
      return chance.happens(0.3)
        ? before
        : Buffer.concat([before, Buffer.alloc(size, chance.whole(256)), after]);
    default: {
      const donor = chance.pick(donors);
      const from = chance.whole(donor.length + 1);
      return Buffer.concat([before, donor.subarray(from, from + chance.whole(64)), after]);
    }
  }
}

function edge(chance: Chance): Buffer {
  const number = chance.pick(edges);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return number < 0x100 && chance.happens(0.5) ? bytes.subarray(3) : bytes;
}

const odd: readonly unknown[] = [
  null,
  true,
  {},
  [],
  '',
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  'x'.repeat(300),
  'ä€\u0000\uD800',
  { __proto__: null, constructor: 'x' },
  [[[[[[]]]]]],
  '../..',
  '-1',
];

/** The same JSON with one value replaced by a strange one, left out, or put where none was. */
export function mutateJson(value: unknown, chance: Chance): unknown {
  if (chance.happens(0.25) || typeof value !== 'object' || value === null) return chance.pick(odd);
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    const at = chance.whole(list.length + 1);
    return [...list.slice(0, at), mutateJson(list[at], chance), ...list.slice(at + 1)];
  }
  const entries: [string, unknown][] = Object.entries(value);
  if (entries.length === 0) return { [chance.pick(['__proto__', 'value', 'a'])]: chance.pick(odd) };
  const [name, inner] = chance.pick(entries);
  const others = entries.filter(([other]) => other !== name);
  if (chance.happens(0.2)) return Object.fromEntries(others);
  return Object.fromEntries([...others, [name, mutateJson(inner, chance)]]);
}
