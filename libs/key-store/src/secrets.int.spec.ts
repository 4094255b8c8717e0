import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenCredential } from '@azure/core-auth';
import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type AzureLocal, type Effect as FaultEffect, start } from '@twinkey/azure-local';
import { Fingerprint, generation, RotationId } from '@twinkey/contracts';
import { SecretShelf } from './secrets.js';
import { SecretText } from './secret-text.js';

// Starting and the first tokens take their time on a machine that does other work besides.
jest.setTimeout(30_000);

let azure: AzureLocal;
let vaultUrl: string;
let direct: SecretClient;
let named = 0;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'key-store-')),
    fleet: [],
    applications: [
      { name: 'nobody' },
      {
        name: 'one-secret',
        assignments: [{ role: 'Key Vault Secrets User' }],
      },
    ],
    limits: { vault: 'off' },
  });
  vaultUrl = azure.endpoints.vaults['local'] ?? '';
  direct = new SecretClient(vaultUrl, identity('default'), {
    disableChallengeResourceVerification: true,
    tlsOptions: { ca: azure.ca },
  });
  await direct.listPropertiesOfSecrets().byPage({ maxPageSize: 1 }).next();
});

afterAll(() => azure.close());

beforeEach(() => {
  azure.control.faults.remove();
  named += 1;
});

function identity(name: string, secret?: string): TokenCredential {
  const found = azure.applications.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no application ${name}`);
  return new ClientSecretCredential(found.tenantId, found.clientId, secret ?? found.clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
}

const shelf = (credential = identity('default')): SecretShelf =>
  new SecretShelf({
    credential,
    disableChallengeCheck: true,
    clientOptions: { tlsOptions: { ca: azure.ca } },
  });

/** A secret of its own for each spec. */
const place = () => ({ vaultUrl, name: `secret-${named}` });

const publication = (number: number) => ({
  value: new SecretText(`key of generation ${number}`),
  tags: {
    account: 'speech-prod',
    slot: 'key1',
    generation: generation(number),
    fingerprint: Fingerprint.parse('0123456789abcdef0123456789abcdef'),
    rotation: RotationId.parse('r-0123456789ab'),
  } as const,
  expiresOn: new Date('2030-01-01T00:00:00Z'),
});

const allowed = { deadlineMs: 5_000, maySend: () => true };
const plant = (operation: string, effect: FaultEffect): void => {
  azure.control.faults.add({ service: 'key-vault', operation, effect });
};

async function versions(): Promise<number> {
  const seen: (string | undefined)[] = [];
  for await (const { version } of direct.listPropertiesOfSecretVersions(place().name)) seen.push(version);
  return seen.length;
}

async function published(number: number): Promise<string> {
  const effect = await shelf().publish(place(), publication(number), allowed);
  if (effect.outcome !== 'done') throw new Error(JSON.stringify(effect));
  return effect.value.version;
}

describe('a publication', () => {
  it('is read back with its tags, as the current version', async () => {
    const version = await published(1);
    const current = await shelf().current(place(), allowed);
    expect(current).toEqual({ ...publication(1), version });
    if (typeof current === 'string') throw new Error(current);
    expect(current.value.reveal()).toBe('key of generation 1');
    expect((await direct.getSecret(place().name)).properties.contentType).toBe('text/plain');
  });

  it('keeps its value when many secrets are published at once on a fresh client', async () => {
    const fresh = shelf();
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    const effects = await Promise.all(
      names.map((name) => fresh.publish({ vaultUrl, name }, publication(1), allowed)),
    );
    expect(effects.map(({ outcome }) => outcome)).toEqual(names.map(() => 'done'));
  });

  it.each<[string, FaultEffect, number]>([
    ['cut off after the effect', { kind: 'drop-after-effect' }, 5_000],
    ['answered too late', { kind: 'delay', ms: 400, when: 'after' }, 200],
  ])('that is %s is in doubt, and made one version', async (_, effect, deadlineMs) => {
    const warm = shelf();
    await warm.publish(place(), publication(1), allowed);
    plant('setSecret', effect);
    expect(await warm.publish(place(), publication(2), { ...allowed, deadlineMs })).toMatchObject({
      outcome: 'in-doubt',
    });
    expect(await versions()).toBe(2);
  });

  it('that may not be sent makes no version', async () => {
    const effect = await shelf().publish(place(), publication(1), {
      deadlineMs: 5_000,
      maySend: () => false,
    });
    expect(effect).toMatchObject({ outcome: 'not-sent', code: 'may-not-send' });
    expect(await shelf().current(place(), allowed)).toBe('missing');
  });

  it('without a token is not sent', async () => {
    const effect = await shelf(identity('default', 'a wrong secret')).publish(
      place(),
      publication(1),
      allowed,
    );
    expect(effect).toMatchObject({ outcome: 'not-sent', code: 'token-unavailable' });
  });

  it('without the role is refused with a remedy', async () => {
    expect(await shelf(identity('one-secret')).publish(place(), publication(1), allowed)).toMatchObject({
      outcome: 'refused',
      fault: {
        name: 'PermanentFault',
        code: 'access-refused',
        remedy: expect.stringContaining('twinkey secret publisher'),
      },
    });
  });

  it('into a deleted secret is refused for a person to decide', async () => {
    await published(1);
    await (await direct.beginDeleteSecret(place().name)).pollUntilDone();
    expect(await shelf().publish(place(), publication(2), allowed)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'PermanentFault', code: 'secret-unusable', remedy: expect.stringContaining('recover') },
    });
  });

  it('that meets another one is refused until later', async () => {
    plant('setSecret', { kind: 'status', status: 409, code: 'Conflict' });
    expect(await shelf().publish(place(), publication(1), allowed)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'vault-conflict' },
    });
  });

  it('to a throttled vault is refused until the time that it names', async () => {
    plant('setSecret', { kind: 'throttle', retryAfterSeconds: 9 });
    expect(await shelf().publish(place(), publication(1), allowed)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'throttled', retryAfterMs: 9_000 },
    });
  });

  it('to a vault where nobody listens is refused', async () => {
    const nobody = { ...place(), vaultUrl: 'https://localhost:1' };
    expect(await shelf().publish(nobody, publication(1), allowed)).toMatchObject({
      outcome: 'refused',
      fault: { name: 'TransientFault', code: 'unreachable' },
    });
  });
});

describe('a secret that is read', () => {
  it('is missing', async () => {
    expect(await shelf().current(place(), allowed)).toBe('missing');
  });

  it('is deleted', async () => {
    await published(1);
    await (await direct.beginDeleteSecret(place().name)).pollUntilDone();
    expect(await shelf().current(place(), allowed)).toBe('deleted');
  });

  it('is disabled', async () => {
    const version = await published(1);
    await direct.updateSecretProperties(place().name, version, { enabled: false });
    expect(await shelf().current(place(), allowed)).toBe('disabled');
  });

  it('was written by hand', async () => {
    await published(1);
    await direct.setSecret(place().name, 'pasted from the portal');
    expect(await shelf().current(place(), allowed)).toMatchObject({ tags: null });
  });

  it('may not be read by everyone', async () => {
    await published(1);
    await expect(shelf(identity('nobody')).current(place(), allowed)).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'access-refused',
    });
  });

  it('does not make its reader wait beyond the deadline', async () => {
    plant('getSecret', { kind: 'delay', ms: 1_000 });
    await expect(shelf().current(place(), { deadlineMs: 100 })).rejects.toMatchObject({
      name: 'TransientFault',
      code: 'deadline-passed',
    });
  });
});

describe('superseded versions', () => {
  it('are disabled when they are ours and older than the one to keep', async () => {
    await published(1);
    const byHand = (await direct.setSecret(place().name, 'pasted from the portal')).properties.version;
    await published(2);
    const keepVersion = await published(3);
    const newer = await published(4);
    expect(await shelf().disableSuperseded(place(), { keepVersion })).toBe(2);
    expect(await shelf().disableSuperseded(place(), { keepVersion })).toBe(0);
    const enabled: (string | undefined)[] = [];
    for await (const each of direct.listPropertiesOfSecretVersions(place().name)) {
      if (each.enabled === true) enabled.push(each.version);
    }
    expect(enabled.sort()).toEqual([byHand, keepVersion, newer].sort());
  });

  it('stay as they are when the version to keep is not ours', async () => {
    await published(1);
    const byHand = (await direct.setSecret(place().name, 'pasted from the portal')).properties.version ?? '';
    expect(await shelf().disableSuperseded(place(), { keepVersion: byHand })).toBe(0);
  });
});
