import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { verifierOf, type Need, type SasKey, type Verdict } from './authorization.js';

const NOW = 1_000_000;

/** A signature by `key` for `resource`, shown for an entity. */
function judged(
  keys: { sas?: readonly SasKey[]; entityKeys?: readonly SasKey[] },
  o: { key: string; keyName?: string; resource?: string; audience?: string; entity: string; need: Need },
): Promise<Verdict> {
  const { keyName = 'k', entity, need } = o;
  const resource = encodeURIComponent(o.resource ?? `sb://bus.local/${entity}`);
  const expiry = NOW / 1000 + 60;
  const signature = createHmac('sha256', o.key).update(`${resource}\n${expiry}`).digest('base64');
  const verify = verifierOf({
    verifyToken: undefined,
    sas: keys.sas,
    allowAnySas: false,
    clock: () => NOW,
    entityKeys: () => keys.entityKeys ?? [],
  });
  return verify({
    kind: 'sas',
    text: `SharedAccessSignature sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${keyName}`,
    audience: o.audience ?? `sb://bus.local/${entity}`,
    entity,
    need,
  });
}

const needs = ['Send', 'Listen', 'Manage'] as const;
async function allowed(keys: Parameters<typeof judged>[0], key: string, entity: string): Promise<Need[]> {
  const found: Need[] = [];
  for (const need of needs) if ('expiresAt' in (await judged(keys, { key, entity, need }))) found.push(need);
  return found;
}

describe('a shared access key', () => {
  it('allows everything unless it is limited, and Manage allows the rest', async () => {
    const sas: SasKey[] = [
      { keyName: 'k', key: 'all' },
      { keyName: 'k', key: 'send', rights: ['Send'] },
      { keyName: 'k', key: 'listen', rights: ['Listen'] },
      { keyName: 'k', key: 'manage', rights: ['Manage'] },
    ];
    expect(await allowed({ sas }, 'all', 'orders')).toEqual(needs);
    expect(await allowed({ sas }, 'send', 'orders')).toEqual(['Send']);
    expect(await allowed({ sas }, 'listen', 'orders')).toEqual(['Listen']);
    expect(await allowed({ sas }, 'manage', 'orders')).toEqual(needs);
    expect(await judged({ sas }, { key: 'send', entity: 'orders', need: 'Listen' })).toEqual({
      refused: "The key 'k' does not give the right 'Listen' on 'orders'",
    });
  });

  it('of an entity reaches that entity and what is below it', async () => {
    const sas = [{ keyName: 'k', key: 's', entity: 'News' }];
    expect(await allowed({ sas }, 's', 'news')).toEqual(needs);
    expect(await allowed({ sas }, 's', 'news/subscriptions/a')).toEqual(needs);
    expect(await allowed({ sas }, 's', 'newspaper')).toEqual([]);
    expect(await allowed({ sas }, 's', '')).toEqual([]);
  });

  it('may come from the rules of the entity itself', async () => {
    const entityKeys: SasKey[] = [{ keyName: 'k', key: 'own', rights: ['Send'], entity: 'orders' }];
    expect(await allowed({ entityKeys }, 'own', 'orders')).toEqual(['Send']);
    expect(await allowed({ entityKeys }, 'own', 'other')).toEqual([]);
    expect(await allowed({ entityKeys, sas: [{ keyName: 'k', key: 'all' }] }, 'all', 'orders')).toEqual(
      needs,
    );
  });

  it('is for a host, whatever the port', async () => {
    const sas = [{ keyName: 'k', key: 's' }];
    const o = { key: 's', entity: 'orders', need: 'Send' } as const;
    for (const [resource, audience] of [
      ['sb://bus.local/orders', 'sb://bus.local:5671/orders'],
      ['sb://bus.local:9999/', 'sb://bus.local/orders'],
      ['https://bus.local/orders/$Transfer/$DeadLetterQueue', 'sb://bus.local:1/orders'],
    ] as const)
      expect(await judged({ sas }, { ...o, resource, audience })).toHaveProperty('expiresAt');
    expect(await judged({ sas }, { ...o, audience: 'sb://other.local/orders' })).toEqual({
      refused: 'The token was issued for another resource',
    });
  });
});
