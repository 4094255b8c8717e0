// Writes a key of an account into Key Vault as the rotator does: with the tags by which consumers trust it.
import { readFileSync } from 'node:fs';
import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';

export async function publisher(env, name) {
  const tlsOptions = { ca: readFileSync(env.NODE_EXTRA_CA_CERTS, 'utf8') };
  const credential = new ClientSecretCredential(
    env.AZURE_TENANT_ID,
    env.AZURE_CLIENT_ID,
    env.AZURE_CLIENT_SECRET,
    {
      authorityHost: env.AZURE_AUTHORITY_HOST,
      disableInstanceDiscovery: true,
      tlsOptions,
    },
  );
  const vaultUrl = env.TWINKEY_KEY_VAULT_URL;
  const vault = new SecretClient(vaultUrl, credential, {
    disableChallengeResourceVerification: true,
    tlsOptions,
  });
  const account = `/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/${name}`;
  return async (generation) => {
    const slot = generation % 2 === 0 ? 'key2' : 'key1';
    // Nobody calls with it: what is measured is how everybody comes to have it.
    await vault.setSecret(name, `no key, number ${generation}`, {
      tags: { 'twinkey-account': account, 'twinkey-generation': String(generation), 'twinkey-slot': slot },
    });
    return { account, slot, secret: { vaultUrl, name } };
  };
}
