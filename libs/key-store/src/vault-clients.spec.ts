import { describe, expect, it } from '@jest/globals';
import { VaultClients } from './vault-clients.js';

const credential = { getToken: () => Promise.resolve(null) };

describe('vaults whose challenge is not checked', () => {
  const vaults = new VaultClients({ credential, disableChallengeCheck: true });

  it.each([
    'https://localhost:8444',
    'https://127.0.0.1:8444',
    'https://[::1]:8444',
    'https://azure-local:8444',
    'https://vault.twinkey.svc.cluster.local',
  ])('may be %s', (url) => {
    expect(vaults.reading(url).vaultUrl).toBe(url);
  });

  it.each(['https://speech.vault.azure.net', 'https://10.0.0.7', 'https://vault.example.com'])(
    'may not be %s',
    (url) => {
      expect(() => vaults.reading(url)).toThrow(/only vaults of this machine or cluster/);
    },
  );
});
