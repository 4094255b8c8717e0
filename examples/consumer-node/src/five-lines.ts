// What an application changes to adopt twinkey. The README shows the lines between the marks; a spec compares.
// #region five-lines
import { TextAnalyticsClient } from '@azure/ai-text-analytics';
import { connect } from '@twinkey/consumer';

export async function languageClient(endpoint: string): Promise<TextAnalyticsClient> {
  const twinkey = await connect({ consumer: 'support-desk', accounts: ['language-weu'] });
  const { credential, policy } = twinkey.account('language-weu');
  return new TextAnalyticsClient(endpoint, credential, {
    additionalPolicies: [{ policy, position: 'perRetry' }],
  });
}
// #endregion
