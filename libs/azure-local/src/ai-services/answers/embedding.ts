import { createHash } from 'node:crypto';

/** A vector of length one that depends on the text alone; near texts are not near. */
export function embeddingOf(text: string, dimensions: number): readonly number[] {
  const bytes: number[] = [];
  for (let block = 0; bytes.length < dimensions; block += 1)
    bytes.push(...createHash('sha256').update(`${block} ${text}`).digest());
  const raw = bytes.slice(0, dimensions).map((byte) => byte / 127.5 - 1);
  const length = Math.hypot(...raw);
  return raw.map((value) => value / length);
}
