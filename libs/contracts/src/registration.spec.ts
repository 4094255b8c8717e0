import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConsumerChannel, HeartbeatRequest } from './index.js';

const folder = new URL('../samples-http/', import.meta.url);
const samples = readdirSync(folder)
  .sort()
  .map((file) => ({ file, body: JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as object }));

describe('a golden heartbeat', () => {
  it.each(samples)('$file is read for ever, and nothing of it is lost', ({ body }) => {
    expect(HeartbeatRequest.parse(body)).toEqual(body);
  });

  it.each(samples)('$file is still read when a newer instance adds fields', ({ body }) => {
    expect(HeartbeatRequest.parse({ ...body, knownLater: { more: [1] } })).toEqual(body);
  });
});

describe('the channel of a declared consumer', () => {
  const problems = (channel: object) =>
    ConsumerChannel.safeParse(channel).error?.issues.map(({ path, message }) => [path.join('.'), message]);
  const webhook = { kind: 'webhook', url: 'https://portal.example/keys', signature: 'ed25519' };

  it('is an endpoint that nobody on the way can read, or one on this machine', () => {
    expect(problems(webhook)).toBeUndefined();
    expect(problems({ ...webhook, url: 'http://127.0.0.1:8080/keys' })).toBeUndefined();
    for (const url of [
      'http://portal.example/',
      'https://me:word@portal.example/',
      'https://me@portal.example/',
    ])
      expect(problems({ ...webhook, url })).toEqual([['url', expect.stringContaining('must be https')]]);
  });

  it('names the secret that both sides share when it signs with one', () => {
    expect(problems({ ...webhook, signature: 'hmac' })).toEqual([
      ['secret', 'must be given with the signature hmac'],
    ]);
    expect(problems({ ...webhook, signature: 'hmac', secret: 'portal-webhook' })).toBeUndefined();
  });

  it('is no subscription that an instance may already have', () => {
    expect(problems({ kind: 'subscription', name: 'billing-keys' })).toBeUndefined();
    expect(problems({ kind: 'subscription', name: 'i-0123456789abcdef' })).toEqual([
      ['name', 'must not be the id of an instance'],
    ]);
    expect(problems({ kind: 'subscription', name: 'x'.repeat(51) })).toHaveLength(1);
  });
});
