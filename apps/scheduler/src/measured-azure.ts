import { azureCall, type Metrics } from '@twinkey/service';
import type { Azure } from './survey.js';

/** The same Azure, and each look at an account is measured. Lists are read in pages and show in the rounds. */
export function measuredAzure(azure: Azure, metrics: Metrics): Azure {
  return {
    account: (...given) =>
      azureCall(metrics, { azure: 'resource-manager', operation: 'read-account' }, () =>
        azure.account(...given),
      ),
    accounts: (...given) => azure.accounts(...given),
  };
}
