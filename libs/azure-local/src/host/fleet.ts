import type { AccountDefinition } from '../resource-manager/state.js';
import { isObject, stringMap } from './plugin.js';

/** What a newcomer finds: three kinds, two regions, both key formats. */
export const sampleFleet: readonly AccountDefinition[] = [
  {
    name: 'language-weu',
    kind: 'TextAnalytics',
    sku: 'S',
    location: 'westeurope',
    resourceGroup: 'rg-language',
  },
  {
    name: 'translator-neu',
    kind: 'TextTranslation',
    sku: 'S1',
    location: 'northeurope',
    resourceGroup: 'rg-language',
    keyFormat: 'hex32',
  },
  { name: 'openai-weu', kind: 'OpenAI', sku: 'S0', location: 'westeurope', resourceGroup: 'rg-openai' },
];

/** A field of a fleet that breaks a rule; the message names field, rule and remedy. */
export class FleetInvalid extends Error {
  override readonly name = 'FleetInvalid';
}

const texts = ['kind', 'sku', 'location', 'resourceGroup'] as const;
const known = new Set<string>([...texts, 'name', 'keyFormat', 'disableLocalAuth', 'tags']);

/** Accepts `{ accounts: […] }`. Throws {@link FleetInvalid} at the first field that breaks a rule. */
export function parseFleet(value: unknown): readonly AccountDefinition[] {
  if (!isObject(value) || !Array.isArray(value['accounts'])) {
    throw new FleetInvalid(
      'The fleet needs a list "accounts", for example: accounts: [{ name: my-account }].',
    );
  }
  const accounts = value['accounts'].map((one: unknown, index) =>
    parseAccountDefinition(one, `accounts[${index}]`),
  );
  const names = accounts.map(({ name }) => name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new FleetInvalid(`accounts: the name "${twice}" occurs twice; names are unique.`);
  return accounts;
}

export function parseAccountDefinition(value: unknown, at: string): AccountDefinition {
  if (!isObject(value)) throw new FleetInvalid(`${at}: an object with at least "name" was expected.`);
  const unknown = Object.keys(value).find((field) => !known.has(field));
  if (unknown !== undefined) {
    throw new FleetInvalid(`${at}.${unknown}: no such field; an account has ${[...known].join(', ')}.`);
  }
  const { name, keyFormat, disableLocalAuth, tags } = value;
  const refusal = typeof name === 'string' ? refuseAccountName(name) : 'it is missing.';
  if (typeof name !== 'string' || refusal !== undefined)
    throw new FleetInvalid(`${at}.name: ${refusal ?? ''}`);
  for (const field of texts) {
    const given = value[field];
    if (given !== undefined && (typeof given !== 'string' || given === '')) {
      throw new FleetInvalid(`${at}.${field}: a text was expected.`);
    }
  }
  if (keyFormat !== undefined && keyFormat !== 'hex32' && keyFormat !== 'chars84') {
    throw new FleetInvalid(
      `${at}.keyFormat: "hex32" (32 hex digits) or "chars84" (84 characters) was expected.`,
    );
  }
  if (disableLocalAuth !== undefined && typeof disableLocalAuth !== 'boolean') {
    throw new FleetInvalid(`${at}.disableLocalAuth: true or false was expected.`);
  }
  const parsedTags = tags === undefined ? undefined : stringMap(tags);
  if (tags !== undefined && parsedTags === undefined) {
    throw new FleetInvalid(
      `${at}.tags: names with texts were expected, for example: tags: { team: language }.`,
    );
  }
  const given = texts.flatMap((field) =>
    typeof value[field] === 'string' ? [[field, value[field]] as const] : [],
  );
  return {
    name,
    ...Object.fromEntries(given),
    ...(keyFormat === undefined ? {} : { keyFormat }),
    ...(disableLocalAuth === undefined ? {} : { disableLocalAuth }),
    ...(parsedTags === undefined ? {} : { tags: parsedTags }),
  };
}

/** Account names are the first segment of their endpoint's path, beside these. */
const reserved = new Set([
  '_local',
  'subscriptions',
  'tenants',
  'providers',
  'common',
  'organizations',
  'adfs',
  'metadata',
  'workload-issuer',
  'sts',
]);
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Why an account may not have that name; `undefined` when it may. */
export function refuseAccountName(name: string): string | undefined {
  if (!/^[a-z0-9][a-z0-9_.-]{1,63}$/i.test(name))
    return `"${name}": 2 to 64 letters, digits, hyphens, dots and underscores, the first a letter or digit, are a name.`;
  return reserved.has(name.toLowerCase()) || guid.test(name)
    ? `"${name}" is used by the emulator itself; choose another name.`
    : undefined;
}

export function belongsToTheHost(segment: string): boolean {
  return reserved.has(segment.toLowerCase()) || guid.test(segment) || segment.includes('.');
}
