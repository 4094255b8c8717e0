import { isObject, jsonValue, stringMap } from '../host/plugin.js';
import type { VersionChanges } from './state.js';

/** Documented bounds of a secret. */
export const bounds = {
  valueBytes: 25_600,
  contentTypeCharacters: 255,
  tags: 15,
  tagCharacters: 256,
} as const;

export interface SecretParameters {
  /** Absent in a change of properties. */
  readonly value?: string;
  readonly changes: VersionChanges;
}

/** The body of a request that sets or changes a secret; a text says what is wrong with it. `null` is as absent. */
export function parseParameters(body: Buffer): SecretParameters | string {
  const fields = jsonValue(body);
  if (!isObject(fields)) return 'The request body is not a JSON object.';
  const value = fields['value'] ?? undefined;
  if (value !== undefined && typeof value !== 'string') return 'value: a string was expected.';
  if (value !== undefined && Buffer.byteLength(value) > bounds.valueBytes) {
    return `value: it is longer than ${bounds.valueBytes} bytes, the most that a secret holds.`;
  }
  const contentType = parseContentType(fields['contentType']);
  const tags = parseTags(fields['tags']);
  const attributes = parseAttributes(fields['attributes']);
  const refused = [contentType, tags, attributes].find((part) => typeof part === 'string');
  if (refused !== undefined) return refused;
  return {
    ...(value === undefined ? {} : { value }),
    changes: Object.assign({}, contentType, tags, attributes) as VersionChanges, // no text is among them
  };
}

function parseContentType(value: unknown): VersionChanges | string {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') return 'contentType: a string was expected.';
  return value.length > bounds.contentTypeCharacters
    ? `contentType: it is longer than ${bounds.contentTypeCharacters} characters.`
    : { contentType: value };
}

function parseTags(value: unknown): VersionChanges | string {
  if (value === undefined || value === null) return {};
  const tags = stringMap(value);
  if (tags === undefined) return 'tags: an object of strings was expected.';
  const entries = Object.entries(tags);
  if (entries.length > bounds.tags) return `tags: there are more than ${bounds.tags}.`;
  const long = entries.find((entry) => entry.some((text) => text.length > bounds.tagCharacters));
  return long === undefined
    ? { tags }
    : `tags: the name or the value of one is longer than ${bounds.tagCharacters} characters.`;
}

function parseAttributes(value: unknown): VersionChanges | string {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) return 'attributes: an object was expected.';
  const { enabled, nbf, exp } = value;
  if (enabled != null && typeof enabled !== 'boolean')
    return 'attributes.enabled: true or false was expected.';
  if (!isTime(nbf)) return 'attributes.nbf: whole seconds since 1970 were expected.';
  if (!isTime(exp)) return 'attributes.exp: whole seconds since 1970 were expected.';
  return {
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
    ...(typeof nbf === 'number' ? { notBefore: nbf } : {}),
    ...(typeof exp === 'number' ? { expires: exp } : {}),
  };
}

function isTime(value: unknown): boolean {
  return value == null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0);
}
