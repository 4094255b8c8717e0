/** What the contract needs to know of a real subscription. Nothing of it is needed for the embedded Azure. */
export const variables = {
  AZURE_TENANT_ID: 'tenant of the application below',
  AZURE_CLIENT_ID: 'application that may do everything the contract does',
  AZURE_CLIENT_SECRET: 'its secret',
  AZURE_POWERLESS_CLIENT_ID: 'application of the same tenant without any role',
  AZURE_POWERLESS_CLIENT_SECRET: 'its secret',
  AZURE_SUBSCRIPTION_ID: 'subscription of the account below',
  AZURE_RESOURCE_GROUP: 'resource group of the account below',
  AZURE_AI_ACCOUNT: 'Azure AI services account that nobody uses: its keys are regenerated',
  AZURE_TRANSLATOR_ACCOUNT: 'Translator account of the same group with a custom domain',
  AZURE_KEY_VAULT_URL: 'vault in which secrets may be made, deleted and purged',
  AZURE_SERVICE_BUS_NAMESPACE: 'host name of a Standard or Premium namespace in which entities may be made',
} as const;

export type Variable = keyof typeof variables;

/** Whether the contract shall be tried against a real subscription as well. */
export const triesAzure = (): boolean => process.env['AZURE_CONTRACT'] === '1';

/** Those of the variables that are not set. */
export const missing = (needed: readonly Variable[]): Variable[] =>
  needed.filter((name) => (process.env[name] ?? '') === '');

/** The value of a variable, empty when it is not set. */
export const setting = (name: Variable): string => process.env[name] ?? '';
