// What has to be done to a Secret so that it holds the wanted keys. Pure.
import type { V1Secret } from '@kubernetes/client-node';
import type { Names } from '../file/format.js';
import { type Keys, nameOf } from '../target.js';

/** On the Secret: `speech-weu=5 language-weu=3`. */
export const GENERATIONS = 'twinkey/generations';
/** On the Secret: what people may know the keys by, `speech-weu=0123456789ab`. */
export const FINGERPRINTS = 'twinkey/fingerprints';

export type SecretStep =
  | { readonly do: 'keep' }
  | { readonly do: 'create'; readonly body: V1Secret }
  /** A strategic merge: entries and annotations of others stay. Under the version that was read, or not at all. */
  | { readonly do: 'patch'; readonly body: V1Secret }
  | { readonly do: 'refuse'; readonly reason: string };

/** As people see fingerprints everywhere. */
const SHOWN_DIGITS = 12;

export function nextSecretStep(
  found: V1Secret | undefined,
  name: string,
  keys: Keys,
  names: Names,
): SecretStep {
  const data = Object.fromEntries(
    keys.map(({ account, key }) => [
      names.get(account) ?? nameOf(account),
      Buffer.from(key()).toString('base64'),
    ]),
  );
  const annotations = annotationsOf(keys);
  if (found === undefined) {
    const metadata = { name, annotations, labels: { 'app.kubernetes.io/managed-by': 'twinkey' } };
    return { do: 'create', body: { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data } };
  }
  const had = found.metadata?.annotations ?? {};
  const ahead = keys.find(
    ({ account, generation }) => (generationsIn(had[GENERATIONS]).get(nameOf(account)) ?? 0) > generation,
  );
  if (ahead !== undefined) {
    return {
      do: 'refuse',
      reason: `the Secret has a newer generation of ${nameOf(ahead.account)} than ${ahead.generation}; if twinkey was set up anew, take its annotation ${GENERATIONS} away`,
    };
  }
  const isRight =
    Object.entries(data).every(([entry, value]) => found.data?.[entry] === value) &&
    Object.entries(annotations).every(([annotation, value]) => had[annotation] === value);
  if (isRight) return { do: 'keep' };
  if (found.immutable === true)
    return { do: 'refuse', reason: 'the Secret is immutable; delete it, and the agent makes it anew' };
  const { resourceVersion } = found.metadata ?? {};
  const metadata = { annotations, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return { do: 'patch', body: { metadata, data } };
}

function annotationsOf(keys: Keys): Record<string, string> {
  const shown = keys.flatMap(({ account, fingerprint }) =>
    fingerprint === undefined ? [] : [`${nameOf(account)}=${fingerprint.slice(0, SHOWN_DIGITS)}`],
  );
  const generations = keys.map(({ account, generation }) => `${nameOf(account)}=${generation}`);
  return {
    [GENERATIONS]: generations.join(' '),
    ...(shown.length === 0 ? {} : { [FINGERPRINTS]: shown.join(' ') }),
  };
}

function generationsIn(text = ''): ReadonlyMap<string, number> {
  return new Map(
    text.split(' ').flatMap((each): [string, number][] => {
      const [, name = '', number] = /^(.+)=([0-9]{1,15})$/.exec(each) ?? [];
      return number === undefined ? [] : [[name, Number(number)]];
    }),
  );
}
