import { type Keys, Refused } from '../target.js';

export const FORMATS = ['raw', 'env', 'json'] as const;
export type Format = (typeof FORMATS)[number];

/** The name under which the key of an account is written, by the account as it was asked for. */
export type Names = ReadonlyMap<string, string>;

/** `speech-weu` as a variable: SPEECH_WEU_KEY. */
export function variableFor(name: string): string {
  const plain = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  return `${/^[0-9]/.test(plain) ? '_' : ''}${plain}_KEY`;
}

/**
 * The text of the file. `raw` is the key alone, without a line end: most programs take all they read. An env file has no
 * agreed way to quote, so a key that would need one is refused.
 */
export function formatted(keys: Keys, format: Format, names: Names): string {
  const entries = keys.map(({ account, key }) => [names.get(account) ?? account, key()] as const);
  switch (format) {
    case 'raw':
      return entries.map(([, key]) => key).join('\n');
    case 'env':
      return entries.map(([name, key]) => `${name}=${unquoted(key)}\n`).join('');
    case 'json':
      return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
  }
}

function unquoted(key: string): string {
  if (/^[\w.+/=:@%-]+$/.test(key)) return key;
  throw new Refused('the key has characters that a line NAME=value cannot carry; use --format json');
}
