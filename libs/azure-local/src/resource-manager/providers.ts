import { supportedVersions, type ApiFamily } from './api-versions.js';
import { displayNameOf, locations } from './catalogue.js';

interface ResourceType {
  readonly name: string;
  readonly family: ApiFamily;
  readonly regional: boolean;
}

const types = (family: ApiFamily, regional: boolean, ...names: string[]): readonly ResourceType[] =>
  names.map((name) => ({ name, family, regional }));

/** The providers of which the emulator has something, with the types it knows. */
const providers: Readonly<Record<string, readonly ResourceType[]>> = {
  'Microsoft.CognitiveServices': [
    ...types('accounts', true, 'accounts'),
    ...types('accounts', false, 'operations', 'locations', 'checkDomainAvailability', 'skus'),
    ...types('deletedAccounts', false, 'deletedAccounts', 'locations/resourceGroups/deletedAccounts'),
  ],
  'Microsoft.Resources': types(
    'resources',
    false,
    'subscriptions',
    'tenants',
    'resourceGroups',
    'subscriptions/resourceGroups',
    'subscriptions/providers',
    'subscriptions/locations',
    'resources',
  ),
};

/** Providers by their name in Azure's spelling; Azure finds them by any. */
export function providerNamed(name: string): string | undefined {
  return Object.keys(providers).find((one) => one.toLowerCase() === name.toLowerCase());
}

export const providerNames: readonly string[] = Object.keys(providers);

export function providerResource(subscription: string, name: string) {
  return {
    id: `/subscriptions/${subscription}/providers/${name}`,
    namespace: name,
    registrationPolicy: 'RegistrationRequired',
    registrationState: 'Registered',
    resourceTypes: (providers[name] ?? []).map(({ name: resourceType, family, regional }) => ({
      resourceType,
      locations: regional ? locations.map(displayNameOf) : [],
      apiVersions: supportedVersions(family),
      capabilities: regional ? 'SupportsTags, SupportsLocation' : 'None',
    })),
  };
}

const verbs = [
  ['accounts/read', 'Read API account'],
  ['accounts/write', 'Write API account'],
  ['accounts/delete', 'Delete API account'],
  ['accounts/listKeys/action', 'List keys'],
  ['accounts/regenerateKey/action', 'Regenerate key'],
  ['accounts/skus/read', 'List SKUs'],
  ['accounts/usages/read', 'Read usages'],
  ['accounts/models/read', 'Read models'],
  ['skus/read', 'List SKUs'],
  ['deletedAccounts/read', 'List deleted accounts'],
  ['locations/resourceGroups/deletedAccounts/read', 'Get deleted account'],
  ['locations/resourceGroups/deletedAccounts/delete', 'Purge deleted account'],
  ['checkDomainAvailability/action', 'Check domain availability'],
  ['locations/checkSkuAvailability/action', 'Check SKU availability'],
  ['register/action', 'Register subscription'],
] as const;

/** What roles on accounts can allow, in the shape of a provider's `operations`. */
export function providerOperations() {
  return verbs.map(([verb, operation]) => ({
    name: `Microsoft.CognitiveServices/${verb}`,
    isDataAction: false,
    display: {
      provider: 'Microsoft Cognitive Services',
      resource: verb.startsWith('accounts') ? 'Cognitive Services API account' : 'Cognitive Services',
      operation,
      description: `${operation}.`,
    },
  }));
}
