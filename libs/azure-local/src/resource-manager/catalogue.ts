/** What Azure sells, as far as accounts go: enough for clients to choose from, not the whole price list. */

/** Kinds of account with the price tiers each has. */
const skusByKind: Readonly<Record<string, readonly string[]>> = {
  AIServices: ['S0'],
  AnomalyDetector: ['F0', 'S0'],
  CognitiveServices: ['S0'],
  ComputerVision: ['F0', 'S1'],
  ContentModerator: ['F0', 'S0'],
  ContentSafety: ['F0', 'S0'],
  ConversationalLanguageUnderstanding: ['F0', 'S'],
  'CustomVision.Prediction': ['F0', 'S0'],
  'CustomVision.Training': ['F0', 'S0'],
  Face: ['F0', 'S0'],
  FormRecognizer: ['F0', 'S0'],
  HealthInsights: ['F0', 'S0'],
  ImmersiveReader: ['S0', 'S1'],
  LUIS: ['F0', 'S0'],
  'LUIS.Authoring': ['F0'],
  MetricsAdvisor: ['F0', 'S0'],
  OpenAI: ['S0'],
  Personalizer: ['F0', 'S0'],
  QnAMaker: ['F0', 'S0'],
  SpeechServices: ['F0', 'S0'],
  TextAnalytics: ['F0', 'S', 'S0', 'S1', 'S2', 'S3', 'S4'],
  TextTranslation: ['F0', 'S1', 'S2', 'S3', 'S4', 'C2', 'C3', 'C4', 'D3'],
};

const displayNames: Readonly<Record<string, string>> = {
  australiaeast: 'Australia East',
  brazilsouth: 'Brazil South',
  canadacentral: 'Canada Central',
  canadaeast: 'Canada East',
  centralindia: 'Central India',
  centralus: 'Central US',
  eastasia: 'East Asia',
  eastus: 'East US',
  eastus2: 'East US 2',
  francecentral: 'France Central',
  germanywestcentral: 'Germany West Central',
  italynorth: 'Italy North',
  japaneast: 'Japan East',
  japanwest: 'Japan West',
  koreacentral: 'Korea Central',
  northcentralus: 'North Central US',
  northeurope: 'North Europe',
  norwayeast: 'Norway East',
  polandcentral: 'Poland Central',
  southafricanorth: 'South Africa North',
  southcentralus: 'South Central US',
  southeastasia: 'Southeast Asia',
  spaincentral: 'Spain Central',
  swedencentral: 'Sweden Central',
  switzerlandnorth: 'Switzerland North',
  switzerlandwest: 'Switzerland West',
  uaenorth: 'UAE North',
  uksouth: 'UK South',
  ukwest: 'UK West',
  westcentralus: 'West Central US',
  westeurope: 'West Europe',
  westus: 'West US',
  westus2: 'West US 2',
  westus3: 'West US 3',
};

export const locations: readonly string[] = Object.keys(displayNames);

export function displayNameOf(location: string): string {
  return displayNames[location] ?? location;
}

/** `West Europe` and `westeurope` are one; resources carry the short spelling. */
export function locationName(text: string): string {
  return text.toLowerCase().replaceAll(/\s/g, '');
}

export function isKind(kind: string): boolean {
  return skusByKind[kind] !== undefined;
}

export function skusOf(kind: string): readonly string[] {
  return skusByKind[kind] ?? [];
}

export function tierOf(sku: string): 'Free' | 'Standard' {
  return sku.startsWith('F') ? 'Free' : 'Standard';
}

const type = 'accounts';

/** Every kind in every tier, as `skus` of the subscription lists them. */
export function subscriptionSkus() {
  return Object.entries(skusByKind).flatMap(([kind, skus]) =>
    skus.map((name) => ({
      resourceType: type,
      name,
      tier: tierOf(name),
      kind,
      locations: locations.map((location) => location.toUpperCase()),
      restrictions: [],
    })),
  );
}

export function accountSkus(kind: string) {
  return skusOf(kind).map((name) => ({
    resourceType: 'Microsoft.CognitiveServices/accounts',
    sku: { name, tier: tierOf(name) },
  }));
}

/** Nothing was used: the emulator counts keys, not units. */
export function accountUsages(kind: string) {
  const value = `${kind}.Transactions`;
  return [
    {
      unit: 'Count',
      name: { value, localizedValue: `${kind} transactions` },
      quotaPeriod: '30.00:00:00',
      limit: 0,
      currentValue: 0,
      status: 'Included',
    },
  ];
}

const chat = { chatCompletion: 'true', responses: 'true' };
const models = [
  { name: 'gpt-4o', version: '2024-11-20', capabilities: chat },
  { name: 'gpt-4o-mini', version: '2024-07-18', capabilities: chat },
  { name: 'text-embedding-3-small', version: '1', capabilities: { embeddings: 'true' } },
] as const;

/** The models that an account of the kind can deploy; only two kinds have any. */
export function accountModels(kind: string) {
  if (kind !== 'OpenAI' && kind !== 'AIServices') return [];
  return models.map(({ name, version, capabilities }) => ({
    format: 'OpenAI',
    name,
    version,
    maxCapacity: 1000,
    capabilities,
    deprecation: { inference: '2030-01-01T00:00:00Z' },
  }));
}

/** The same, of a region: each model with the kind and tier that sells it. */
export function regionalModels() {
  return ['OpenAI', 'AIServices'].flatMap((kind) =>
    accountModels(kind).map((model) => ({ kind, skuName: 'S0', model })),
  );
}
