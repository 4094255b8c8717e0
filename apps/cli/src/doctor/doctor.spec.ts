// What the doctor makes of what it is told; nothing is asked of anybody.
import { describe, expect, it } from '@jest/globals';
import { PermanentFault, TransientFault, type RoleGrant } from '@twinkey/contracts';
import { SERVICE_NAMES, type Environment } from '@twinkey/settings';
import picocolors from 'picocolors';
import { readCareFile } from './care-file.js';
import { judgeClock } from './databases.js';
import { linesOf, type Finding } from './finding.js';
import { firstLabel, type Who } from './mend.js';
import { ahead, claimsOf, type Probes } from './probes.js';
import { refused, rightsOf, type Right } from './rights.js';
import { servicesIn, settingsFindings } from './settings.js';
import { rightFindings } from './try-rights.js';

const who: Who = { objectId: 'oid', kind: 'ServicePrincipal', clientId: 'cid', tenantId: 'tid' };
const account = '/subscriptions/s/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech';

describe('the settings of a service', () => {
  const right: Environment = {
    DATABASE_URL: 'postgres://twinkey:secret@localhost/twinkey',
    TWINKEY_SERVICE_BUS_NAMESPACE: 'contoso-bus.servicebus.windows.net',
  };

  it('are fine when nothing is missing', () => {
    expect(settingsFindings(right, ['console'])).toMatchObject([{ about: 'console', outcome: 'ok' }]);
  });

  it('are told with all that is wrong at once, and no secret is shown', () => {
    const wrong = {
      DATABASE_URL: 'mysql://root:hunter2@db/twinkey',
      SERVICEBUS_CONNECTION_STRING: 'Endpoint=sb://x;key',
      TWINKEY_SERVICE_BUS_NAMESPACE: 'x',
      TWINKEY_HTTP_HOST: '0.0.0.0',
      TWINKEY_TICK_SECOND: '5',
      TWINKEY_CALL_DEADLINE_SECONDS: '60',
      TWINKEY_FINGERPRINT_SALT: 'hunter2',
    };
    const findings = settingsFindings(wrong, ['rotator']);
    expect(findings.map(({ check }) => check)).toEqual(
      [
        'TWINKEY_TICK_SECOND',
        'DATABASE_URL',
        'TWINKEY_FINGERPRINT_SALT',
        'SERVICEBUS_CONNECTION_STRING',
        'TWINKEY_API_AUDIENCE',
        'TWINKEY_CALL_DEADLINE_SECONDS',
      ].map((name) => `setting ${name}`),
    );
    expect(findings.every(({ outcome, mend }) => outcome === 'failed' && mend !== undefined)).toBe(true);
    expect(findings.filter(({ mend }) => mend?.startsWith('unset')).map(({ check }) => check)).toEqual([
      'setting TWINKEY_TICK_SECOND',
      'setting SERVICEBUS_CONNECTION_STRING',
    ]);
    expect(JSON.stringify(findings)).not.toContain('hunter2');
  });

  it('are asked for the namespace where there is no way to the bus', () => {
    const { TWINKEY_SERVICE_BUS_NAMESPACE: _, ...without } = right;
    expect(settingsFindings(without, ['console'])).toMatchObject([
      { outcome: 'failed', mend: expect.stringMatching(/^export TWINKEY_SERVICE_BUS_NAMESPACE=/) },
    ]);
  });

  it('are those of clients, too', () => {
    expect(settingsFindings({ ...right, TWINKEY_URL: 'twinkey' }, ['console'])).toMatchObject([
      { check: 'setting TWINKEY_URL', outcome: 'failed' },
    ]);
  });

  it('decide as whom to look: the rotator is left out where its salt is not', () => {
    expect(servicesIn(right)).toEqual(['scheduler', 'notifier', 'console']);
    expect(servicesIn({ ...right, TWINKEY_FINGERPRINT_SALT: 'x' })).toEqual(SERVICE_NAMES);
  });
});

describe('a right that was refused', () => {
  const at = (grant: Partial<RoleGrant>, isOptional = false): Right => ({
    service: 'console',
    isOptional,
    grant: { identity: 'console', role: 'Azure Service Bus Data Sender', at: 'queue', name: 'q', ...grant },
  });
  const names = { namespace: 'contoso-bus', vault: 'contoso-keys', account, subscription: 'S' };
  const unauthorized = new PermanentFault('bus-unauthorized', 'Unauthorized access.');
  const assign = (role: string, scope: string) =>
    `az role assignment create --assignee-object-id oid --assignee-principal-type ServicePrincipal --role "${role}" --scope ${scope}`;
  const bus = `$(az servicebus namespace list --query "[?name=='contoso-bus'].id" --output tsv)`;

  it.each<[string, Partial<RoleGrant>, string]>([
    ['queue', {}, `"${bus}/queues/q"`],
    ['topic', { at: 'topic', name: 't' }, `"${bus}/topics/t"`],
    ['subscription', { at: 'subscription', name: 't/s' }, `"${bus}/topics/t/subscriptions/s"`],
    ['vault', { at: 'vault' }, '"$(az keyvault show --name contoso-keys --query id --output tsv)"'],
    ['account', { at: 'account' }, account],
    ['subscription of Azure', { at: 'azure-subscription' }, '/subscriptions/S'],
  ])('at a %s is given by one command', (_, grant, scope) => {
    expect(refused(at(grant), unauthorized, { who, names })).toMatchObject({
      outcome: 'failed',
      mend: assign('Azure Service Bus Data Sender', scope),
    });
  });

  it.each<[string, unknown, RegExp]>([
    [
      'an entity is made',
      new PermanentFault('bus-entity-missing', ''),
      /^az servicebus queue create .*--name q /,
    ],
    [
      'a firewall is opened for the address that it saw',
      new PermanentFault(
        'access-refused',
        'ForbiddenByFirewall: Client address is not authorized. Client address: 203.0.113.7',
      ),
      /^az keyvault network-rule add --name contoso-keys --ip-address 203\.0\.113\.7$/,
    ],
    [
      'silence is looked into',
      new TransientFault('bus-unreachable', 'ECONNREFUSED'),
      /^az servicebus namespace list/,
    ],
  ])('for another reason is mended otherwise: %s', (_, fault, mend) => {
    const finding = refused(at({}), fault, { who, names });
    expect(finding.outcome).toBe('failed');
    expect(finding.mend).toMatch(mend);
  });

  it('at a subscription that is not there makes it, as the topology wants it', () => {
    const { mend } = refused(
      at({ at: 'subscription', name: 't/s' }),
      new PermanentFault('bus-entity-missing', ''),
      { who, names },
    );
    expect(mend).toMatch(
      /^az servicebus topic subscription create .* --topic-name t --name s --lock-duration PT1M --max-delivery-count 10 .* --enable-dead-lettering-on-message-expiration true$/,
    );
  });

  it('fails nobody where only dead letters need it', () => {
    expect(refused(at({}, true), unauthorized, { who, names })).toMatchObject({
      outcome: 'skipped',
      mend: assign('Azure Service Bus Data Sender', `"${bus}/queues/q"`),
    });
    expect(
      rightsOf('console', { shards: 1, discovery: false }).filter(({ isOptional }) => !isOptional),
    ).toHaveLength(4);
  });

  it('is given to a person as to a person', () => {
    const { mend } = refused(at({}), unauthorized, { who: { ...who, kind: 'User' }, names });
    expect(mend).toContain('--assignee-principal-type User');
  });
});

describe('what cannot be tried, since it would show or change a key', () => {
  const ground = (permissions: Awaited<ReturnType<Probes['permissions']>>) =>
    ({
      environment: { TWINKEY_KEY_CHANGED_SHARDS: '1' },
      services: ['rotator'],
      who,
      names: {},
      probes: {
        account: () => Promise.resolve({ disableLocalAuth: false }),
        permissions: () => Promise.resolve(permissions),
        bus: { receive: () => Promise.resolve(), send: () => Promise.resolve() },
      },
    }) as never;
  const found = async (permissions: Awaited<ReturnType<Probes['permissions']>>) =>
    (await rightFindings(ground(permissions), [{ id: account as never, secret: 'speech' }])).find(
      ({ check }) => check.startsWith('twinkey key rotator'),
    );

  it('is asked of Resource Manager: a role that may only list keys is not enough', async () => {
    const actions = [
      'Microsoft.CognitiveServices/accounts/read',
      'Microsoft.CognitiveServices/accounts/listKeys/action',
    ];
    const finding = await found([{ actions }]);
    expect(finding).toMatchObject({ outcome: 'failed' });
    expect(finding?.mend).toMatch(
      new RegExp(`--role "\\$\\(az role definition list .*'twinkey key rotator'.*\\)" --scope ${account}$`),
    );
    expect(await found([{ actions: ['Microsoft.CognitiveServices/accounts/*'] }])).toMatchObject({
      outcome: 'ok',
      detail: 'reads; listKeys and regenerateKey are permitted',
    });
  });

  it('is not called good where nobody says so', async () => {
    expect((await found('unknown'))?.detail).toContain('cannot be asked for');
  });
});

describe('an accounts file', () => {
  const policies = 'policies: { standard: { interval: P30D } }';

  it('names accounts and where their keys go', () => {
    const { file, faults } = readCareFile(
      `version: 1\n${policies}\naccounts:\n  - { id: ${account}, policy: standard }\n  - { name: Vision.2, policy: standard, secret: { vault: https://two.vault.azure.net/, name: eyes } }\ndiscovery: {}\n`,
      { keyVaultUrl: 'https://one.vault.azure.net', subscriptionId: 'S' },
    );
    expect(faults).toEqual([]);
    expect(file.entries).toEqual([
      { account: { id: account }, vaultUrl: 'https://one.vault.azure.net' },
      { account: { name: 'vision.2' }, vaultUrl: 'https://two.vault.azure.net', secret: 'eyes' },
    ]);
    expect(file.discovery).toEqual({ subscriptions: ['S'] });
  });

  it.each([
    ['no YAML', 'version: [', 'is no YAML'],
    [
      'an account that is none',
      `version: 1\n${policies}\naccounts: [{ id: /subscriptions/x, policy: standard }]`,
      'must be the ARM id',
    ],
    [
      'a policy that is none',
      `version: 1\n${policies}\naccounts: [{ id: ${account}, policy: other, secret: { vault: https://v } }]`,
      'names no policy',
    ],
    [
      'no vault',
      `version: 1\n${policies}\naccounts: [{ id: ${account}, policy: standard }]`,
      'no vault is named',
    ],
    [
      'a name that no secret has',
      `version: 1\n${policies}\naccounts: [{ id: ${account}, policy: standard, secret: { name: a_b, vault: https://v } }]`,
      '1 to 127 letters',
    ],
    [
      'two accounts in one secret',
      `version: 1\n${policies}\naccounts: [{ id: ${account}, policy: standard, secret: { vault: https://v, name: s } }, { name: S, policy: standard, secret: { vault: https://v } }]`,
      'the same secret',
    ],
  ])('is told what is wrong with it: %s', (_, text, fault) => {
    expect(readCareFile(text, {}).faults).toEqual([expect.stringContaining(fault)]);
  });
});

describe('the report', () => {
  const findings: readonly Finding[] = [
    { about: 'rotator', check: 'A at queue q', outcome: 'ok' },
    { about: 'installation', check: 'identity', outcome: 'failed', detail: 'no token', mend: 'az login' },
    { about: 'console', check: 'answers at http://c', outcome: 'skipped', detail: 'not told' },
  ];

  it('has a line for each check, and below a failed one what mends it', () => {
    expect(linesOf(findings, picocolors.createColors(false))).toEqual([
      'ok       rotator       A at queue q',
      'failed   installation  identity: no token',
      '         do: az login',
      'skipped  console       answers at http://c: not told',
    ]);
  });
});

describe('what is read from others', () => {
  it('an identity is who the claims of its token say, a person or a program', () => {
    const token = (claims: object) => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
    expect(claimsOf(token({ oid: 'oid', appid: 'cid', tid: 'tid', idtyp: 'app' }))).toEqual(who);
    expect(claimsOf(token({ oid: 'o', azp: 'c', tid: 't', upn: 'a@b.example' })).kind).toBe('User');
  });

  it('a clock may be anything between the two looks at ours', () => {
    expect([ahead(5, 4, 6), ahead(3, 4, 6), ahead(9, 4, 6)]).toEqual([0, -1, 3]);
    expect(judgeClock('database', { aheadMs: -7_000 }, 5_000)).toMatchObject({
      outcome: 'failed',
      detail: '7.0 s behind ours',
    });
    expect(judgeClock('database', { aheadMs: 4_000 }, 5_000)).toMatchObject({ outcome: 'ok' });
  });

  it('a name is what an address begins with', () => {
    expect(
      ['https://contoso-keys.vault.azure.net', 'contoso-bus.servicebus.windows.net', 'localhost:5671'].map(
        firstLabel,
      ),
    ).toEqual(['contoso-keys', 'contoso-bus', 'localhost']);
  });
});
