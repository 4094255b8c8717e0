// The embedded Azure as twinkey starts it: in its folder, with the names of the variables that its services read.
import { runAsProcess } from '@twinkey/azure-local/command';

await runAsProcess({
  dataDir: '.twinkey/azure',
  extraVariables: {
    TWINKEY_RESOURCE_MANAGER_ENDPOINT: 'resource-manager',
    TWINKEY_KEY_VAULT_URL: 'key-vault',
  },
});
