import { invalidArgument } from '../../errors.js';

export type Token =
  /** `isWhole` as it is written: 2 is, 2.0 is not. */
  | { readonly kind: 'number'; readonly value: number; readonly isWhole: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'name'; readonly value: string }
  /** A name in brackets or quotes is never a keyword. */
  | { readonly kind: 'quoted'; readonly value: string }
  | { readonly kind: 'parameter'; readonly value: string }
  | { readonly kind: 'sign'; readonly value: string }
  | { readonly kind: 'end'; readonly value: '' };

const TOKEN =
  /\s+|(?<number>0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|'(?<text>(?:[^']|'')*)'|\[(?<bracketed>(?:[^\]]|\]\])*)\]|"(?<quoted>(?:[^"]|"")*)"|(?<parameter>@[\p{L}_][\p{L}\p{N}_]*)|(?<name>[\p{L}_$#][\p{L}\p{N}_$#]*)|(?<sign><>|!=|<=|>=|[-=<>+*/%(),.;])/iuy;

/** Cuts an SQL expression into tokens. Throws `Refused` naming the position where it cannot. */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(expression)?.groups as Partial<Record<string, string>> | undefined;
    if (groups === undefined)
      throw invalidArgument(
        `The SQL expression is not understood at position ${at}: ${expression.slice(at, at + 20)}`,
      );
    const token = tokenOf(groups);
    if (token !== undefined) tokens.push(token);
  }
  tokens.push({ kind: 'end', value: '' });
  return tokens;
}

function tokenOf(groups: Partial<Record<string, string>>): Token | undefined {
  const { number, text, bracketed, quoted, parameter, name, sign } = groups;
  if (number !== undefined)
    return { kind: 'number', value: Number(number), isWhole: /^(?:0x[0-9a-f]+|\d+)$/i.test(number) };
  if (text !== undefined) return { kind: 'text', value: text.replaceAll("''", "'") };
  if (bracketed !== undefined) return { kind: 'quoted', value: bracketed.replaceAll(']]', ']') };
  if (quoted !== undefined) return { kind: 'quoted', value: quoted.replaceAll('""', '"') };
  if (parameter !== undefined) return { kind: 'parameter', value: parameter };
  if (name !== undefined) return { kind: 'name', value: name };
  return sign === undefined ? undefined : { kind: 'sign', value: sign };
}
