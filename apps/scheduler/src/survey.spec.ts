import { AccountId, PermanentFault, TransientFault } from '@twinkey/contracts';
import type { FoundAccount } from '@twinkey/key-store';
import { describe, expect, it } from '@jest/globals';
import { readCareList } from './read-care-list.js';
import { survey, type Azure, type Survey } from './survey.js';

const S1 = '11111111-0d6e-4a37-9c15-7e2f60d4b981';
const S2 = '22222222-0d6e-4a37-9c15-7e2f60d4b981';
const id = (name: string, subscription = S1) =>
  AccountId.parse(
    `/subscriptions/${subscription}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
const found = (account: AccountId, more: Partial<FoundAccount> = {}): FoundAccount => ({
  account,
  name: account.split('/').at(-1) ?? '',
  kind: 'SpeechServices',
  location: 'westeurope',
  endpoint: 'https://speech.example/',
  disableLocalAuth: false,
  tags: {},
  ...more,
});
const tagged = { tags: { 'Twinkey-Managed': 'true' } };

/** Azure with these accounts; a fault stands where Azure would answer with one. */
function azure(
  accounts: readonly FoundAccount[],
  faults: Readonly<Record<string, Error>> = {},
): Azure & { reads: number } {
  const port = {
    reads: 0,
    account(wanted: AccountId): Promise<FoundAccount> {
      port.reads += 1;
      const fault = faults[wanted];
      if (fault) return Promise.reject(fault);
      const one = accounts.find(({ account }) => account === wanted);
      return one
        ? Promise.resolve(one)
        : Promise.reject(new PermanentFault('account-not-found', 'no such account'));
    },
    async *accounts(subscription: string): AsyncGenerator<FoundAccount, void, undefined> {
      await Promise.resolve();
      const fault = faults[subscription];
      if (fault) throw fault;
      yield* accounts.filter(({ account }) => account.includes(subscription));
    },
  };
  return port;
}

async function look(file: string, port: Azure): Promise<Survey> {
  const text = `version: 1\npolicies: { standard: { interval: P30D }, weekly: { interval: P7D } }\n${file}`;
  const read = readCareList(text, { keyVaultUrl: 'https://vault.example' });
  if (!read.ok) throw new Error(read.faults.join('\n'));
  return survey(read.list, port);
}
const byTag = `discovery: { subscriptions: [${S1}, ${S2}], tag: { name: twinkey-managed }, policy: standard }\n`;

describe('accounts named by id', () => {
  const named = `accounts:\n  - { id: ${id('speech')}, policy: weekly }\n`;

  it('are taken with what Azure says of them and a secret named like them', async () => {
    expect((await look(named, azure([found(id('speech'))]))).sighted).toMatchObject([
      {
        presence: 'here',
        settings: {
          account: id('speech'),
          kind: 'SpeechServices',
          location: 'westeurope',
          endpoint: 'https://speech.example/',
          secret: { vaultUrl: 'https://vault.example', name: 'speech' },
          policy: { name: 'weekly' },
        },
        schedule: { intervalSeconds: 604_800 },
      },
    ]);
  });

  it('are gone when Azure does not know them', async () => {
    const { sighted, gone, passing } = await look(named, azure([]));
    expect({ sighted, gone, passing }).toEqual({
      sighted: [],
      gone: [{ account: id('speech'), reason: 'Azure does not know the account', listed: true }],
      passing: false,
    });
  });

  it('are not gone when Azure does not answer, and are asked for again soon', async () => {
    const outage = azure([], { [id('speech')]: new TransientFault('unreachable', 'ARM does not answer') });
    expect(await look(named, outage)).toMatchObject({
      gone: [],
      troubled: [{ account: id('speech'), trouble: 'ARM does not answer' }],
      passing: true,
    });
  });

  it('stay troubled without haste when Azure refuses, with the remedy', async () => {
    const refusal = new PermanentFault('access-refused', '403 from ARM', { remedy: 'assign the role' });
    expect(await look(named, azure([], { [id('speech')]: refusal }))).toMatchObject({
      troubled: [{ trouble: '403 from ARM; assign the role' }],
      passing: false,
    });
  });

  it('are known to accept no keys', async () => {
    const { sighted } = await look(named, azure([found(id('speech'), { disableLocalAuth: true })]));
    expect(sighted).toMatchObject([{ presence: 'keys-disabled' }]);
  });

  it('are not read one by one where their subscription is listed anyway', async () => {
    const port = azure([found(id('speech'))]);
    await look(`${named}discovery: { subscriptions: [${S1}] }\n`, port);
    expect(port.reads).toBe(0);
  });

  it('do not pass over a defect', async () => {
    const defect = azure([], { [id('speech')]: new TypeError('x is not a function') });
    await expect(look(named, defect)).rejects.toThrow('x is not a function');
  });
});

describe('discovery', () => {
  it('adopts who carries the tag, whatever its case, and nobody else', async () => {
    const port = azure([
      found(id('a'), tagged),
      found(id('b', S2), tagged),
      found(id('c'), { tags: { 'twinkey-managed': 'false' } }),
      found(id('d')),
    ]);
    const { sighted } = await look(byTag, port);
    expect(sighted.map(({ account }) => account)).toEqual([id('a'), id('b', S2)]);
  });

  it('leaves the terms of an account to the file where the file names it', async () => {
    const port = azure([found(id('a'), tagged)]);
    const { sighted } = await look(`accounts: [{ id: ${id('a')}, policy: weekly }]\n${byTag}`, port);
    expect(sighted.map(({ settings }) => settings.policy.name)).toEqual(['weekly']);
  });

  it('says which subscription could not be listed', async () => {
    const outage = new TransientFault('unreachable', 'ARM does not answer');
    const result = await look(byTag, azure([found(id('b', S2), tagged)], { [S1]: outage }));
    expect(result).toMatchObject({
      sighted: [{ account: id('b', S2) }],
      remarks: [`subscription ${S1}: accounts cannot be listed: ARM does not answer`],
      passing: true,
    });
    expect([...result.unlisted]).toEqual([S1]);
  });

  it('refuses two accounts that would write one secret', async () => {
    const port = azure([found(id('a'), tagged), found(id('a', S2), tagged)]);
    const { sighted, gone } = await look(byTag, port);
    expect(sighted).toEqual([]);
    expect(gone.map(({ account }) => account)).toEqual([id('a'), id('a', S2)]);
    expect(gone[0]?.reason).toContain('shares the secret "a"');
  });
});

describe('accounts named by name', () => {
  const byName = `accounts: [{ name: Speech, policy: weekly }]\ndiscovery: { subscriptions: [${S1}, ${S2}] }\n`;

  it('are found in the listed subscriptions', async () => {
    const { sighted } = await look(byName, azure([found(id('speech', S2))]));
    expect(sighted.map(({ account }) => account)).toEqual([id('speech', S2)]);
  });

  it.each([
    [[], 'account speech: no account of the listed subscriptions has this name'],
    [
      [found(id('speech')), found(id('speech', S2))],
      'account speech: 2 accounts have this name; write the id of the one that is meant',
    ],
  ])('are remarked on unless there is exactly one', async (accounts, remark) => {
    expect(await look(byName, azure(accounts))).toMatchObject({ sighted: [], remarks: [remark] });
  });
});
