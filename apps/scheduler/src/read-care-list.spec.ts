import { describe, expect, it } from '@jest/globals';
import { AccountId } from '@twinkey/contracts';
import { readCareList } from './read-care-list.js';
import { resolveConsumer } from './read-consumers.js';

const SUBSCRIPTION = '1b8f3a52-0d6e-4a37-9c15-7e2f60d4b981';
const ID = `/subscriptions/${SUBSCRIPTION}/resourceGroups/speech/providers/Microsoft.CognitiveServices/accounts/speech-prod`;
const OTHER = ID.replace('speech-prod', 'vision');
const defaults = { keyVaultUrl: 'https://twinkey-prod.vault.azure.net/' };

const EXAMPLE = `version: 1
policies:
  standard: { interval: P30D, acknowledgeWithin: PT24H, onOverdue: hold, drain: PT30S, withoutConsumers: wait, firstRotation: now }
  weekly: { interval: P7D, spread: PT12H }
accounts:
  - id: ${ID}
    policy: standard
    secret: { vault: https://speech.vault.azure.net, name: speech }
  - name: Vision
    policy: weekly
discovery:
  subscriptions: [ ${SUBSCRIPTION.toUpperCase()} ]
  tag: { name: twinkey-managed, value: "true" }
  policy: standard
`;

describe('a file with accounts, policies and discovery', () => {
  const read = readCareList(EXAMPLE, defaults);
  if (!read.ok) throw new Error(read.faults.join('\n'));
  const { entries, discovery } = read.list;

  it('lists accounts by id and by name, each with its policy and secret', () => {
    expect(entries).toMatchObject([
      {
        account: { id: ID },
        policy: { terms: { name: 'standard', intervalSeconds: 2_592_000 } },
        secret: { vaultUrl: 'https://speech.vault.azure.net', name: 'speech' },
      },
      {
        account: { name: 'vision' },
        policy: { terms: { name: 'weekly' }, schedule: { spreadSeconds: 43_200 } },
        secret: { vaultUrl: 'https://twinkey-prod.vault.azure.net' },
      },
    ]);
  });

  it('fills in what a policy leaves out', () => {
    expect(entries[1]?.policy).toMatchObject({
      terms: {
        acknowledgeWithinSeconds: 86_400,
        onOverdue: 'hold',
        drainSeconds: 30,
        withoutConsumers: 'wait',
      },
      schedule: { firstRotation: 'now' },
    });
  });

  it('discovers by tag', () => {
    expect(discovery).toMatchObject({
      subscriptions: [SUBSCRIPTION],
      adopt: { tag: 'twinkey-managed', value: 'true', policy: { terms: { name: 'standard' } } },
    });
  });

  it('takes the subscription from the environment when the file names none', () => {
    const text = EXAMPLE.replace(/ {2}subscriptions.*\n/, '');
    const shorter = readCareList(text, { ...defaults, subscriptionId: SUBSCRIPTION });
    expect(shorter.ok && shorter.list.discovery?.subscriptions).toEqual([SUBSCRIPTION]);
  });
});

const start = 'version: 1\npolicies: { standard: { interval: P30D } }\n';

const FAULTS: readonly [situation: string, text: string, faults: readonly string[]][] = [
  [
    'is empty',
    '',
    [
      'line 1: version: is missing; add it: 1.',
      'line 1: policies: is missing; add it: named entries below it.',
    ],
  ],
  [
    'is no YAML',
    'version: 1\npolicies: [',
    [
      'line 2: is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; correct it.',
    ],
  ],
  [
    'names a field twice',
    'version: 1\nversion: 1\n',
    ['line 2: is no YAML: Map keys must be unique; correct it.'],
  ],
  ['has another version', 'version: 2\npolicies: {}\n', ['line 1: version: must be 1; write that.']],
  [
    'misspells fields',
    `${start}acounts: []\n`,
    ['line 3: acounts: is not a field of this place; correct its spelling or its indentation, or remove it.'],
  ],
  [
    'counts in months',
    'version: 1\npolicies:\n  standard:\n    interval: P1M\n    drain: soon\n',
    [
      'line 4: policies.standard.interval: months and years have no fixed length; count in days, for example P30D; correct "P1M".',
      'line 5: policies.standard.drain: must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, for example P30D or PT15M; correct "soon".',
    ],
  ],
  [
    'wants something else done when a switch is overdue',
    'version: 1\npolicies:\n  standard: { interval: P30D, onOverdue: ignore }\n',
    ['line 3: policies.standard.onOverdue: must be hold or force; write one of them.'],
  ],
  [
    'names a policy that is not there',
    `${start}accounts:\n  - id: ${ID}\n    policy: stanard\n`,
    ['line 5: accounts[0].policy: names no policy ("stanard"); write one of standard.'],
  ],
  [
    'names an account by nothing',
    `${start}accounts:\n  - policy: standard\n`,
    ['line 4: accounts[0]: must have either id or name; name the account by exactly one of them.'],
  ],
  [
    'names an account by its name without saying where to look',
    `${start}accounts:\n  - { name: speech, policy: standard }\n`,
    [
      'line 4: accounts[0].name: needs discovery: an account is found by its name only among those of a subscription; write the id of the account, or add discovery with its subscription.',
    ],
  ],
  [
    'has an id that is none',
    `${start}accounts:\n  - { id: /subscriptions/1, policy: standard }\n`,
    ['line 4: accounts[0].id: must be the ARM id of a Cognitive Services account; correct it.'],
  ],
  [
    'names an account twice, in two spellings',
    `${start}accounts:\n  - { id: ${ID}, policy: standard }\n  - { id: ${ID.toUpperCase()}, policy: standard }\n`,
    ['line 5: accounts[1]: names the same account as accounts[0]; remove one of them.'],
  ],
  [
    'gives two accounts one secret',
    `${start}accounts:\n  - { id: ${ID}, policy: standard }\n  - { id: ${OTHER}, policy: standard, secret: { name: Speech-Prod } }\n`,
    [
      'line 5: accounts[1].secret: is "speech-prod" in https://twinkey-prod.vault.azure.net, the secret of accounts[0] too; give each account a secret of its own.',
    ],
  ],
  [
    'names a secret that Key Vault would refuse',
    `${start}accounts:\n  - { id: ${ID}, policy: standard, secret: { name: speech_prod } }\n`,
    ['line 4: accounts[0].secret.name: must be 1 to 127 letters, digits and dashes; correct it.'],
  ],
  [
    'discovers nowhere, and on no terms',
    `${start}discovery:\n  tag: { name: managed }\n`,
    [
      'line 4: discovery.subscriptions: is missing; add it, or set AZURE_SUBSCRIPTION_ID.',
      'line 4: discovery.policy: is missing; name the policy of accounts that are found by their tag.',
    ],
  ],
  [
    'declares consumers with nothing below them',
    `${start}consumers:\n  support-desk:\n`,
    ['line 4: consumers.support-desk: must be fields below it; correct it.'],
  ],
  [
    'spells what it declares of a consumer wrong',
    `${start}consumers:\n  Desk: { owner: x }\n  desk:\n    acounts: []\n    minimumInstances: -1\n    onOverdue: ignore\n`,
    [
      'line 4: consumers.Desk: must be 1 to 63 lower-case letters, digits and dashes; rename it.',
      'line 6: consumers.desk.owner: is missing; add it: text.',
      'line 6: consumers.desk.acounts: is not a field of this place; correct its spelling or its indentation, or remove it.',
      'line 7: consumers.desk.minimumInstances: must not be negative; correct it.',
      'line 8: consumers.desk.onOverdue: must be hold or force; write one of them.',
    ],
  ],
  [
    'gives a consumer times that are none',
    `${start}consumers:\n  desk:\n    owner: x\n    acknowledgeWithin: PT0S\n    escalate: { after: soon, to: on-call }\n`,
    [
      'line 6: consumers.desk.acknowledgeWithin: must be whole seconds, and longer than 0; correct "PT0S".',
      'line 7: consumers.desk.escalate.after: must be an ISO 8601 duration of weeks, days, hours, minutes or seconds, for example P30D or PT15M; correct "soon".',
    ],
  ],
  [
    'lets consumers hear of keys in no way that there is',
    `${start}consumers:\n  a: { owner: x, channel: pigeon }\n  b: { owner: x, channel: { pigeon: {} } }\n  c: { owner: x, channel: {} }\n  d: { owner: x, channel: { webhook: { url: "http://portal.example/", signature: ed25519 } } }\n  e: { owner: x, channel: { webhook: { url: "https://portal.example/", signature: hmac } } }\n`,
    [
      'line 4: consumers.a.channel: must be instances, or fields below it; write one of them.',
      'line 5: consumers.b.channel.pigeon: is not a field of this place; correct its spelling or its indentation, or remove it.',
      'line 7: consumers.d.channel.webhook.url: must be https (or http on this machine) without a user name and a password; correct it.',
    ],
  ],
  [
    'says too much or too little of how a consumer hears of keys',
    `${start}consumers:\n  c: { owner: x, channel: {} }\n  e: { owner: x, channel: { webhook: { url: "https://portal.example/", signature: hmac } } }\n`,
    [
      'line 4: consumers.c.channel: must be instances, or have either subscription or webhook; write exactly one of them.',
      'line 5: consumers.e.channel.webhook.secret: is missing; name the Key Vault secret that both sides share, or sign with ed25519.',
    ],
  ],
  [
    'gives two consumers one subscription',
    `${start}consumers:\n  a: { owner: x, channel: { subscription: { name: keys } } }\n  b: { owner: x, channel: { subscription: { name: Keys } } }\n`,
    [
      'line 5: consumers.b.channel.subscription.name: is the one of consumers.a.channel.subscription.name too; give each consumer a subscription of its own.',
    ],
  ],
];

describe('a file that declares consumers', () => {
  const read = readCareList(
    `${start}onlyDeclaredConsumers: true
consumers:
  support-desk:
    owner: support-platform@contoso.example
    accounts: [language-weu]
    minimumInstances: 2
    acknowledgeWithin: PT1H
    onOverdue: force
    escalate: { after: PT30M, to: on-call }
  billing: { owner: billing team, channel: { subscription: { name: billing-keys } } }
  portal:
    owner: partners
    accounts:
    channel: { webhook: { url: "https://portal.example/keys", signature: hmac, secret: portal } }
`,
    defaults,
  );
  if (!read.ok) throw new Error(read.faults.join('\n'));

  it('says of each what it asks for, with times in seconds', () => {
    expect(read.list.onlyDeclaredConsumers).toBe(true);
    expect(read.list.consumers).toEqual([
      {
        accounts: ['language-weu'],
        terms: {
          consumer: 'support-desk',
          owner: 'support-platform@contoso.example',
          minimumInstances: 2,
          acknowledgeWithinSeconds: 3_600,
          onOverdue: 'force',
          escalate: { afterSeconds: 1_800, to: 'on-call' },
          channel: { kind: 'instances' },
        },
      },
      {
        accounts: [],
        terms: {
          consumer: 'billing',
          owner: 'billing team',
          minimumInstances: 0,
          channel: { kind: 'subscription', name: 'billing-keys' },
        },
      },
      {
        accounts: [],
        terms: {
          consumer: 'portal',
          owner: 'partners',
          minimumInstances: 0,
          channel: {
            kind: 'webhook',
            url: 'https://portal.example/keys',
            signature: 'hmac',
            secret: 'portal',
          },
        },
      },
    ]);
  });

  it('names accounts as people do, and is told which of them are not under care', () => {
    const [desk] = read.list.consumers;
    if (desk === undefined) throw new Error('declared above');
    const underCare = [ID, OTHER, OTHER.replace('speech/', 'vision/')].map((id) => AccountId.parse(id));
    const named = (...accounts: string[]) => {
      const { declaration, problems } = resolveConsumer({ ...desk, accounts }, underCare);
      return { accounts: declaration.accounts, problems };
    };
    expect(named('Speech-Prod', ID.toUpperCase(), 'VISION/vision')).toEqual({
      accounts: [underCare[0], underCare[2]],
      problems: [],
    });
    expect(named('speech-prd', 'vision')).toEqual({
      accounts: [],
      problems: [
        '"speech-prd" is no account under care; correct its name, or add it to accounts',
        '2 accounts are called "vision"; write the id of the one that is meant',
      ],
    });
  });
});

describe('a file that', () => {
  it.each(FAULTS)('%s is refused with place, rule and remedy', (_, text, faults) => {
    expect(readCareList(text, defaults)).toEqual({ ok: false, faults });
  });

  it('names no vault is refused when the environment names none either', () => {
    expect(readCareList(`${start}accounts:\n  - { id: ${ID}, policy: standard }\n`, {})).toEqual({
      ok: false,
      faults: [
        'line 4: accounts[0].secret.vault: no vault is named; name it here, or set TWINKEY_KEY_VAULT_URL for all accounts.',
      ],
    });
  });
});
