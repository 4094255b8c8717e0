type Piece = 'any-text' | 'any-character' | { readonly character: string };

/**
 * SQL's LIKE: `%` is any text, `_` any character; the escape character takes their meaning from them. Matched with
 * one point to fall back to, in length × length at worst: patterns come from clients, and a regular expression
 * made of one could run for hours.
 */
export function isLike(text: string, pattern: string, escape: string | undefined): boolean {
  const pieces = piecesOf(pattern, escape);
  let at = 0;
  let piece = 0;
  let fallback: { piece: number; at: number } | undefined;
  while (at < text.length) {
    const current = pieces[piece];
    if (current === 'any-text') {
      fallback = { piece, at };
      piece++;
    } else if (current === 'any-character' || (current !== undefined && current.character === text[at])) {
      at++;
      piece++;
    } else if (fallback !== undefined) {
      fallback.at++;
      at = fallback.at;
      piece = fallback.piece + 1;
    } else return false;
  }
  return pieces.slice(piece).every((rest) => rest === 'any-text');
}

function piecesOf(pattern: string, escape: string | undefined): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === escape) pieces.push({ character: pattern[++at] ?? '' });
    else if (character === '%') pieces.push('any-text');
    else pieces.push(character === '_' ? 'any-character' : { character });
  }
  return pieces;
}
