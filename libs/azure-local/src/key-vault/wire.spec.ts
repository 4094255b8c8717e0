import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Answer } from '../host/call.js';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let token: string;
let now = Date.now();

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'vault-wire-')),
    clock: () => now,
    applications: [{ name: 'nobody' }],
  });
  token = await tokenOf('default');
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.faults.remove();
});

async function tokenOf(name: string, resource = 'https://vault.azure.net'): Promise<string> {
  const { clientId = '', clientSecret = '' } = azure.applications.find((one) => one.name === name) ?? {};
  const answer = await azure.call(`/${azure.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${resource}/.default`,
    }).toString(),
  });
  return (answer.json() as { access_token: string }).access_token;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const url = path.startsWith('https://') ? path : `${azure.endpoints.vaults['local'] ?? ''}${path}`;
  const versioned = url.includes('api-version') ? url : `${url}?api-version=7.5`;
  return await azure.call(versioned, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

const errorOf = (answer: Answer) => {
  const { error } = answer.json() as { error: { code: string; message: string } };
  return [answer.status, error.code, error.message] as const;
};
const names = (answer: Answer) =>
  (answer.json() as { value: readonly { id: string }[] }).value.map(({ id }) => id.split('/').at(-1));
const nextLink = (answer: Answer) => (answer.json() as { nextLink: string | null }).nextLink;

describe('a request that is none of the operations', () => {
  it('changes nothing: a verb on a path that has others is not allowed there', async () => {
    await ask('PUT', '/secrets/kept', { value: 'one' });
    for (const [method, path] of [
      ['PUT', '/secrets'],
      ['PUT', '/secrets/'],
      ['DELETE', '/secrets'],
      ['DELETE', '/secrets/kept/00000000000000000000000000000000'],
      ['PUT', '/secrets/kept/versions'],
      ['POST', '/secrets/kept/rotate'],
      ['POST', '/deletedsecrets/kept/restore'],
      ['DELETE', '/deletedsecrets'],
    ] as const) {
      const [status, code] = errorOf(await ask(method, path, { value: 'two' }));
      expect([method, path, status, code]).toEqual([method, path, 405, 'MethodNotAllowed']);
    }
    expect((await ask('GET', '/secrets/kept')).json()).toMatchObject({ value: 'one' });
    expect(names(await ask('GET', '/secrets'))).toEqual(['kept']);
  });

  it('is not found when its path is none of a vault', async () => {
    for (const path of ['/', '/keys', '/secrets/a/b/c', '/deletedsecrets/a/b']) {
      expect((await ask('GET', path)).status).toBe(404);
    }
  });
});

describe('the api-version', () => {
  const version = async (query: string) => errorOf(await ask('GET', `/secrets/x?${query}`));

  it('has to be one that the service knows', async () => {
    expect(await version('api-version=')).toEqual([400, 'BadParameter', 'api-version must be specified']);
    expect(await version('api-version=8.1')).toEqual([
      400,
      'BadParameter',
      'The specified version (8.1) is not recognized. Consider using the latest supported version (2025-07-01).',
    ]);
    expect((await version('api-version=7.7'))[0]).toBe(400);
    expect((await version('api-version=2024-01-01'))[0]).toBe(400);
  });

  it('may be any that SDKs have asked for', async () => {
    for (const asked of [
      '2016-10-01',
      '7.0',
      '7.3-preview',
      '7.6-preview.2',
      '7.6',
      '2025-06-01-preview.1',
    ]) {
      expect((await version(`api-version=${asked}`))[1]).toBe('SecretNotFound');
    }
    expect((await version('api-version=2025-07-01'))[1]).toBe('SecretNotFound');
  });

  it('is looked at only after the token', async () => {
    const answer = await azure.call(`${azure.endpoints.vaults['local'] ?? ''}/secrets/x`);
    expect(answer.status).toBe(401);
  });
});

describe('a token that does not count', () => {
  const challenged = async (authorization: string) => {
    const answer = await ask('GET', '/secrets/x', undefined, { authorization });
    return [errorOf(answer)[2], answer.headers['www-authenticate']] as const;
  };
  const challenge = () =>
    `Bearer authorization="${azure.endpoints.origin}/${azure.tenantId}", resource="https://vault.azure.net"`;

  it('is told from one that is missing', async () => {
    expect(await challenged('')).toEqual([
      'AKV10000: Request is missing a Bearer or PoP token.',
      challenge(),
    ]);
  });

  it('is told apart: nobody signed it, it is over, it is for something else', async () => {
    const invalid = `${challenge()}, error="invalid_token"`;
    expect(await challenged('Bearer x.y.z')).toEqual([expect.stringMatching(/^AKV10046: /), invalid]);
    const elsewhere = await tokenOf('default', 'https://management.azure.com/');
    expect(await challenged(`Bearer ${elsewhere}`)).toEqual([
      'AKV10022: Invalid audience. Expected https://vault.azure.net, found: https://management.azure.com/.',
      invalid,
    ]);
    const slashed = await tokenOf('default', 'https://vault.azure.net/');
    expect((await challenged(`Bearer ${slashed}`))[0]).toMatch(
      /^AKV10022: .*found: https:\/\/vault\.azure\.net\/\.$/,
    );
    now += 3_600_000;
    expect(await challenged(`Bearer ${token}`)).toEqual([
      expect.stringMatching(/^\[TokenExpired\]/),
      invalid,
    ]);
    now -= 3_600_000;
  });
});

describe('an application without a role', () => {
  it('is told who it is, what it wanted and where', async () => {
    const authorization = `Bearer ${await tokenOf('nobody')}`;
    const answer = await ask('GET', '/secrets/Mine', undefined, { authorization });
    const { clientId, objectId } = azure.applications.find(({ name }) => name === 'nobody') ?? {};
    const vault = `/subscriptions/${azure.subscriptionId}/resourcegroups/rg-vaults/providers/microsoft.keyvault/vaults/local`;
    expect(answer.json()).toMatchObject({ error: { innererror: { code: 'ForbiddenByRbac' } } });
    expect(errorOf(answer)).toEqual([
      403,
      'Forbidden',
      [
        'Caller is not authorized to perform action on resource.',
        'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
        `Caller: appid=${clientId};oid=${objectId};iss=https://sts.windows.net/${azure.tenantId}/`,
        "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
        `Resource: '${vault}/secrets/Mine'`,
        'Assignment: (not found)',
        'DenyAssignmentId: null',
        'DecisionReason: null ',
        'Vault: local;location=westeurope',
        '',
      ].join('\r\n'),
    ]);
  });
});

describe('a body that a secret cannot have', () => {
  const refusedBy = async (body: unknown) => errorOf(await ask('PUT', '/secrets/strict', body));

  it('is refused by the field that is wrong', async () => {
    const many = Object.fromEntries([...Array(16).keys()].map((n) => [`t${n}`, '']));
    for (const [field, body] of [
      ['value', {}],
      ['value', { value: 7 }],
      ['value', { value: 'é'.repeat(12_801) }],
      ['contentType', { value: '', contentType: 7 }],
      ['contentType', { value: '', contentType: 'x'.repeat(256) }],
      ['tags', { value: '', tags: many }],
      ['tags', { value: '', tags: { n: 1 } }],
      ['tags', { value: '', tags: { ['n'.repeat(257)]: '' } }],
      ['tags', { value: '', tags: { n: 'v'.repeat(257) } }],
      ['attributes', { value: '', attributes: [] }],
      ['attributes.enabled', { value: '', attributes: { enabled: 'yes' } }],
      ['attributes.nbf', { value: '', attributes: { nbf: 1.5 } }],
      ['attributes.exp', { value: '', attributes: { exp: '2031' } }],
    ] as const) {
      const [status, code, message] = await refusedBy(body);
      expect([status, code, message.split(':')[0]]).toEqual([400, 'BadParameter', field]);
    }
    expect((await refusedBy('{"value":'))[0]).toBe(400);
    expect((await ask('GET', '/secrets/strict')).status).toBe(404);
  });

  it('is refused as well when properties change', async () => {
    await ask('PUT', '/secrets/patched', { value: 'one', tags: { kept: 'yes' } });
    expect(errorOf(await ask('PATCH', '/secrets/patched/', '{"tags":'))[1]).toBe('BadParameter');
    const untouched = await ask('PATCH', '/secrets/patched/', {
      tags: null,
      contentType: null,
      attributes: null,
    });
    expect(untouched.json()).toMatchObject({ tags: { kept: 'yes' }, attributes: { enabled: true } });
  });

  it('is taken up to the very bound', async () => {
    const tags = Object.fromEntries(
      [...Array(15).keys()].map((n) => [`t${n}`.padEnd(256, 'n'), 'v'.repeat(256)]),
    );
    const answer = await ask('PUT', '/secrets/full', {
      value: 'x'.repeat(25_600),
      contentType: 'c'.repeat(255),
      tags,
    });
    expect(answer.json()).toMatchObject({ contentType: 'c'.repeat(255), tags });
  });
});

describe('pages', () => {
  it('neither repeat nor lose a secret when others come and go between them', async () => {
    for (const name of ['page-b', 'page-d', 'page-f', 'page-h'])
      await ask('PUT', `/secrets/${name}`, { value: '' });
    const seen: (string | undefined)[] = [];
    let link: string | null = '/secrets?api-version=7.5&maxresults=1';
    while (link !== null) {
      const answer = await ask('GET', link);
      seen.push(...names(answer));
      link = nextLink(answer);
      if (seen.at(-1) === 'page-d') {
        await ask('DELETE', '/secrets/page-b');
        await ask('DELETE', '/secrets/page-f');
        await ask('PUT', '/secrets/page-a', { value: '' });
        await ask('PUT', '/secrets/page-g', { value: '' });
      }
    }
    expect(seen.filter((name) => name?.startsWith('page-'))).toEqual([
      'page-b',
      'page-d',
      'page-g',
      'page-h',
    ]);
  });

  it('are asked for by a size and a token that the service gave', async () => {
    for (const query of ['maxresults=0', 'maxresults=26', 'maxresults=x', 'maxresults=', 'maxresults=1.5']) {
      expect([query, errorOf(await ask('GET', `/secrets?api-version=7.5&${query}`))[1]]).toEqual([
        query,
        'BadParameter',
      ]);
    }
    for (const junk of ['7', 'NTA', 'junk!', '']) {
      expect(errorOf(await ask('GET', `/secrets?api-version=7.5&$skiptoken=${junk}`))[1]).toBe(
        'BadParameter',
      );
    }
  });
});

describe('every answer', () => {
  it('carries the headers of the service, those of a planted fault and of a challenge too', async () => {
    const asked = { 'x-ms-client-request-id': 'mine-1' };
    const plain = await ask('GET', '/secrets', undefined, asked);
    const challenged = await azure.call(`${azure.endpoints.vaults['local'] ?? ''}/secrets`, {
      headers: asked,
    });
    azure.control.faults.add({ service: 'key-vault', effect: { kind: 'status', status: 503 } });
    const planted = await ask('GET', '/secrets');
    for (const { headers } of [plain, challenged, planted]) {
      expect(headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers['x-ms-keyvault-region']).toBe('westeurope');
    }
    expect(plain.headers['x-ms-request-id']).not.toBe(planted.headers['x-ms-request-id']);
    expect([plain, challenged].map(({ headers }) => headers['x-ms-client-request-id'])).toEqual([
      'mine-1',
      'mine-1',
    ]);
  });

  it('says for how long a deleted secret is kept, in the level that goes with it', async () => {
    const answer = await ask('PUT', '/secrets/level', { value: '' });
    expect(answer.json()).toMatchObject({
      attributes: { recoveryLevel: 'Recoverable+Purgeable', recoverableDays: 90 },
    });
  });
});

describe('a stale read over HTTP', () => {
  it('lists what was there before the last change', async () => {
    await ask('PUT', '/secrets/lag-1', { value: 'one' });
    await ask('PUT', '/secrets/lag-2', { value: 'one' });
    azure.control.faults.add({ service: 'key-vault', operation: 'listSecrets', effect: { kind: 'stale' } });
    expect(names(await ask('GET', '/secrets'))).not.toContain('lag-2');
    expect(names(await ask('GET', '/secrets'))).toContain('lag-2');
  });
});
