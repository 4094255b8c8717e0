import { createPrivateKey, sign as signWith } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { generateKeyPair, generateSharedSecret } from './generate.js';
import { InvalidSecret, readSigningSecret, readVerifier } from './secret.js';
import { sign } from './sign.js';
import { verify, type Received } from './verify.js';

const now = new Date('2026-03-02T08:30:00.400Z');
const message = { id: 'kc-0123456789abcdef-g7-r1', body: '{"type":"com.twinkey.key.changed.v1","text":"ü"}' };
const { body } = message;

const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const signedBy = (...secrets: string[]): Received => ({
  headers: { ...sign(message, now, secrets.map(readSigningSecret)) },
  body,
});

describe('A shared secret', () => {
  const secret = generateSharedSecret();

  it('signs as the reference library of Standard Webhooks does', () => {
    const { headers } = signedBy(secret);
    expect(headers['webhook-signature']).toBe(new Webhook(secret).sign(message.id, now, body));
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(now.getTime() / 1000)));
    expect(headers['webhook-id']).toBe(message.id);
  });

  it('verifies what the reference library signed', () => {
    const headers = {
      'Webhook-Id': 'msg_1',
      'Webhook-Timestamp': String(Math.floor(now.getTime() / 1000)),
      'Webhook-Signature': new Webhook(secret).sign('msg_1', now, body),
    };
    expect(verify({ headers, body }, [readVerifier(secret)], now)).toMatchObject({
      verified: true,
      id: 'msg_1',
    });
  });

  it('signs what the reference library verifies', () => {
    const headers = sign(message, new Date(), [readSigningSecret(secret)]);
    expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body));
  });

  it('knows no signature of another one', () => {
    expect(verify(signedBy(generateSharedSecret()), [readVerifier(secret)], now)).toEqual({
      verified: false,
      why: 'signature-unknown',
    });
  });
});

describe('An ed25519 key', () => {
  // RFC 8032, section 7.1, the first test: a key that everybody knows.
  const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
  const publicHalf = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex');
  const known = `whsk_${Buffer.concat([seed, publicHalf]).toString('base64')}`;

  it('is read as seed and public half, or as the seed alone', () => {
    const publicKey = `whpk_${publicHalf.toString('base64')}`;
    expect(readSigningSecret(known).publicKey).toBe(publicKey);
    expect(readSigningSecret(`whsk_${seed.toString('base64')}\n`).publicKey).toBe(publicKey);
  });

  it('signs id, time and body, joined by full stops', () => {
    const key = createPrivateKey({
      key: { kty: 'OKP', crv: 'Ed25519', d: seed.toString('base64url'), x: publicHalf.toString('base64url') },
      format: 'jwk',
    });
    const content = Buffer.from(`${message.id}.${Math.floor(now.getTime() / 1000)}.${body}`);
    expect(signedBy(known).headers['webhook-signature']).toBe(
      `v1a,${signWith(null, content, key).toString('base64')}`,
    );
  });

  it('is checked with its public half', () => {
    const { secret, publicKey } = generateKeyPair();
    expect(verify(signedBy(secret), [readVerifier(publicKey)], now)).toMatchObject({ verified: true });
    expect(verify(signedBy(secret), [readVerifier(generateKeyPair().publicKey)], now)).toMatchObject({
      why: 'signature-unknown',
    });
  });

  it('is refused when its halves do not belong together', () => {
    const mixed = Buffer.concat([seed, Buffer.alloc(32, 1)]).toString('base64');
    expect(() => readSigningSecret(`whsk_${mixed}`)).toThrow(/does not belong/);
  });
});

describe('While a secret is replaced by another', () => {
  const [old, fresh, pair] = [generateSharedSecret(), generateSharedSecret(), generateKeyPair()];

  it.each([
    ['the old one', old],
    ['the new one', fresh],
    ['a public key beside them', pair.publicKey],
  ])('a receiver that has only %s verifies', (_, has) => {
    const both = signedBy(fresh, old, pair.secret);
    expect(both.headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+ v1a,\S+$/);
    expect(verify(both, [readVerifier(has)], now)).toMatchObject({ verified: true });
  });

  it('a receiver that has both verifies what only one signed', () => {
    const verifiers = [fresh, old].map(readVerifier);
    expect(verify(signedBy(old), verifiers, now)).toMatchObject({ verified: true });
  });
});

describe('A receiver', () => {
  const secret = generateSharedSecret();
  const verifiers = [readVerifier(secret)];

  it.each([
    [300, true],
    [301, 'too-old'],
    [-300, true],
    [-301, 'too-new'],
  ])('%d seconds after the attempt says %s', (seconds, expected) => {
    const said = verify(signedBy(secret), verifiers, later(seconds));
    expect(said.verified ? true : said.why).toBe(expected);
  });

  it.each<[string, (of: Received) => Received]>([
    ['body', (of) => ({ ...of, body: `${body} ` })],
    ['id', (of) => ({ ...of, headers: { ...of.headers, 'webhook-id': 'another' } })],
    [
      'time',
      (of) => ({
        ...of,
        headers: { ...of.headers, 'webhook-timestamp': String((now.getTime() / 1000 + 1) | 0) },
      }),
    ],
    [
      'mark of the signature',
      (of) => ({
        ...of,
        headers: {
          ...of.headers,
          'webhook-signature': String(of.headers['webhook-signature']).replace('v1,', 'v1a,'),
        },
      }),
    ],
  ])('refuses a message with another %s', (_, changed) => {
    expect(verify(changed(signedBy(secret)), verifiers, now)).toEqual({
      verified: false,
      why: 'signature-unknown',
    });
  });

  it.each([
    [{ 'webhook-id': undefined }, 'header-missing'],
    [{ 'webhook-signature': '' }, 'header-missing'],
    [{ 'webhook-id': ['one', 'two'] }, 'header-missing'],
    [{ 'webhook-timestamp': '17e8' }, 'timestamp-unreadable'],
    [{ 'webhook-signature': 'v1 nonsense ,, v1,' }, 'signature-unknown'],
  ])('refuses headers like %j as %s', (changes, why) => {
    const of = signedBy(secret);
    expect(verify({ ...of, headers: { ...of.headers, ...changes } }, verifiers, now)).toEqual({
      verified: false,
      why,
    });
  });
});

describe('A secret', () => {
  it.each([
    ['begins with nothing known', 'secret_AAAA', /begins with whsec_/],
    ['is too short', `whsec_${Buffer.alloc(23).toString('base64')}`, /24 to 64 bytes; it holds 23/],
    ['is too long', `whsec_${Buffer.alloc(65).toString('base64')}`, /24 to 64/],
    ['is no base64', `whsec_${'*'.repeat(40)}`, /only base64/],
    ['is half an ed25519 key', `whsk_${Buffer.alloc(31).toString('base64')}`, /32 or 64 bytes/],
    ['is the public half', generateKeyPair().publicKey, /begins with whsec_/],
  ])('that %s is refused without being repeated', (_, text, rule) => {
    expect(() => readSigningSecret(text)).toThrow(rule);
    expect(() => readSigningSecret(text)).toThrow(InvalidSecret);
    const [, encoded = ''] = text.split('_');
    expect(() => readSigningSecret(text)).not.toThrow(encoded);
  });

  it('that a receiver must not have is refused', () => {
    expect(() => readVerifier(generateKeyPair().secret)).toThrow(/stays with the sender/);
  });

  it.each([generateSharedSecret(), generateKeyPair().secret])(
    'appears nowhere when it is printed',
    (text) => {
      const secret = readSigningSecret(text);
      const printed = inspect(secret, { depth: 9, showHidden: true }) + JSON.stringify(secret);
      expect(printed).not.toContain(text.slice(6, 40));
    },
  );
});

describe('A message', () => {
  const secrets = [readSigningSecret(generateSharedSecret())];

  it.each(['', 'a.b', 'line\nbreak', 'x'.repeat(257)])('with the id %j is not signed', (id) => {
    expect(() => sign({ id, body }, now, secrets)).toThrow(/webhook id/);
  });

  it('is not sent without a signature', () => {
    expect(() => sign(message, now, [])).toThrow(/one secret at least/);
  });
});
