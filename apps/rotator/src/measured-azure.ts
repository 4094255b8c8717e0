import { probeKey } from '@twinkey/key-store';
import { azureCall, type AzureOperation, type Metrics } from '@twinkey/service';
import type { Outside } from './look.js';

type Asked = Pick<Outside, 'accountKeys' | 'shelf' | 'probe'>;

/** The same Azure, and each call is measured. */
export function measuredAzure({ accountKeys, shelf, probe = probeKey }: Asked, metrics: Metrics): Asked {
  const measured = <Arguments extends unknown[], Answer>(
    azure: AzureOperation['azure'],
    operation: string,
    call: (...given: Arguments) => Promise<Answer>,
  ) => {
    return (...given: Arguments) => azureCall(metrics, { azure, operation }, () => call(...given));
  };
  return {
    accountKeys: {
      listKeys: measured('resource-manager', 'list-keys', accountKeys.listKeys.bind(accountKeys)),
      regenerateKey: measured(
        'resource-manager',
        'regenerate-key',
        accountKeys.regenerateKey.bind(accountKeys),
      ),
      writeDelayMs: accountKeys.writeDelayMs.bind(accountKeys),
    },
    shelf: {
      current: measured('key-vault', 'read-secret', shelf.current.bind(shelf)),
      publish: measured('key-vault', 'set-secret', shelf.publish.bind(shelf)),
      disableSuperseded: measured('key-vault', 'disable-versions', shelf.disableSuperseded.bind(shelf)),
    },
    probe: measured('data-plane', 'probe', probe),
  };
}
