// The files with which an installation begins. Pure: from accounts and names to texts. There is no secret in any of them;
// what is secret, the deployment reads from the environment of whoever runs it.
import { accountParts } from '@twinkey/contracts';
import type { Discovered } from './accounts-file.js';

export interface Beginning {
  readonly accounts: readonly Discovered[];
  /** Begins the names of everything in Azure, as in deploy/bicep. */
  readonly prefix: string;
  readonly subscription: string;
  /** Where deploy/kubernetes and deploy/bicep are, as seen from the folder that the files go to. */
  readonly deploy: string;
}

const NOBODY = '00000000-0000-0000-0000-000000000000';
const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'] as const;

/** Every file by its name in the folder. */
export function filesOf(beginning: Beginning): Readonly<Record<string, string>> {
  return {
    'twinkey.yaml': careFile(beginning),
    'kustomization.yaml': overlay(beginning),
    'settings.env': settings(beginning),
    'identities.env': identities(),
    'database.env': database(beginning),
    'main.bicepparam': parameters(beginning),
  };
}

function careFile({ accounts }: Beginning): string {
  const rotated = accounts.filter(({ isKeyless }) => !isKeyless);
  const keyless = accounts.filter(({ isKeyless }) => isKeyless);
  const shared = sharedNames(rotated);
  return lines(
    '# Which accounts are cared for, and how. Every setting: apps/scheduler/twinkey.schema.json.',
    'version: 1',
    'policies:',
    '  standard:',
    '    interval: P30D',
    '    acknowledgeWithin: PT24H',
    '    # A silent consumer holds a rotation until a person decides.',
    '    onOverdue: hold',
    '    # Accounts are seen and declared at once; no key is replaced before a month has passed or somebody asks.',
    '    firstRotation: after-interval',
    rotated.length === 0 ? 'accounts: []' : 'accounts:',
    ...rotated.flatMap(({ id }) => {
      const { resourceGroup, name } = accountParts(id);
      const secret = secretName(name);
      return [
        `  - id: ${id}`,
        '    policy: standard',
        // Two accounts in one secret would overwrite each other's key.
        ...(shared.has(secret) ? [`    secret: { name: ${secretName(`${resourceGroup}-${name}`)} }`] : []),
      ];
    }),
    ...(keyless.length === 0
      ? []
      : [
          '# Not here, since they accept no keys (disableLocalAuth):',
          ...keyless.map(({ id }) => `#   ${id}`),
        ]),
  );
}

function secretName(text: string): string {
  return text.replace(/[^0-9a-zA-Z-]/g, '-').slice(0, 127);
}

/** Names that more than one account would write its key under. */
function sharedNames(accounts: readonly Discovered[]): ReadonlySet<string> {
  const names = accounts.map(({ id }) => secretName(accountParts(id).name));
  return new Set(names.filter((name, index) => names.indexOf(name) !== index));
}

function overlay({ deploy }: Beginning): string {
  return lines(
    '# The services with your names, on top of what every installation has. kubectl apply -k .',
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    'namespace: twinkey',
    'resources:',
    `  - ${deploy}/kubernetes/base`,
    '# What is wanted beside them: keda, monitoring, webhooks.',
    'components: []',
    `#  - ${deploy}/kubernetes/components/monitoring`,
    'configMapGenerator:',
    '  - name: twinkey-settings',
    '    behavior: merge',
    '    envs: [settings.env]',
    '  - name: twinkey-accounts',
    '    behavior: replace',
    '    files: [twinkey.yaml]',
    '  # Only read by the replacements below; it does not reach the cluster.',
    '  - name: identities',
    '    envs: [identities.env]',
    '    options:',
    '      disableNameSuffixHash: true',
    "      annotations: { config.kubernetes.io/local-config: 'true' }",
    'secretGenerator:',
    '  - name: twinkey-database',
    '    envs: [database.env]',
    'replacements:',
    ...SERVICES.flatMap((service) => [
      `  - source: { kind: ConfigMap, name: identities, fieldPath: data.${service} }`,
      '    targets:',
      `      - select: { kind: ServiceAccount, name: ${service} }`,
      "        fieldPaths: ['metadata.annotations.[azure.workload.identity/client-id]']",
      '        options: { create: true }',
    ]),
    '# Your registry; write the digest of what was pushed (`digest: sha256:…`) in place of the tag.',
    'images:',
    ...[...SERVICES, 'cli'].map(
      (name) => `  - { name: twinkey/${name}, newName: REGISTRY.azurecr.io/twinkey/${name}, newTag: 0.1.0 }`,
    ),
  );
}

function settings({ prefix, subscription }: Beginning): string {
  return lines(
    '# What deploy/bicep/main.bicep answers as "settings", should it be deployed with main.bicepparam as it is.',
    `TWINKEY_SERVICE_BUS_NAMESPACE=${prefix}-bus.servicebus.windows.net`,
    `TWINKEY_KEY_VAULT_URL=https://${prefix}-keys.vault.azure.net`,
    'TWINKEY_API_AUDIENCE=api://twinkey',
    'TWINKEY_DATABASE_ENTRA=true',
    `AZURE_SUBSCRIPTION_ID=${subscription}`,
  );
}

function identities(): string {
  return lines(
    '# The client ids of the managed identities: replace this file by what deploy/bicep/main.bicep answers as "identities".',
    ...[...SERVICES, 'keda'].map((name) => `${name}=${NOBODY}`),
  );
}

function database({ prefix }: Beginning): string {
  const host = `${prefix}-postgres.postgres.database.azure.com`;
  return lines(
    '# What deploy/bicep/main.bicep answers as "database". A token of the identity of each service is the password of its role.',
    ...SERVICES.map((name) => `${name}=postgres://${name}@${host}:5432/twinkey?sslmode=verify-full`),
  );
}

function parameters({ accounts, prefix, deploy }: Beginning): string {
  return lines(
    '// az deployment group create --resource-group twinkey --name main --parameters main.bicepparam',
    `using '${deploy}/bicep/main.bicep'`,
    '',
    `param prefix = '${prefix}'`,
    '',
    '// az aks show --resource-group … --name … --query oidcIssuerProfile.issuerUrl --output tsv',
    "param oidcIssuerUrl = readEnvironmentVariable('OIDC_ISSUER_URL')",
    '',
    'param accounts = [',
    ...accounts
      .filter(({ isKeyless }) => !isKeyless)
      .flatMap(({ id }) => {
        const { subscription, resourceGroup, name } = accountParts(id);
        return [
          '  {',
          `    subscriptionId: '${subscription}'`,
          `    resourceGroup: '${resourceGroup}'`,
          `    name: '${name}'`,
          '  }',
        ];
      }),
    ']',
    '',
    '// The group or person that administers the database. It has no password: everybody signs in with Entra.',
    "param databaseAdministratorId = readEnvironmentVariable('DATABASE_ADMINISTRATOR_ID')",
    "param databaseAdministratorName = readEnvironmentVariable('DATABASE_ADMINISTRATOR_NAME')",
  );
}

function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

/** What a person does with the files, in order. */
export function nextSteps({ prefix }: Beginning, folder: string): readonly string[] {
  const parameters = `${folder}/main.bicepparam`;
  const output = (name: string) =>
    `az deployment group show --resource-group twinkey --name main --query properties.outputs.${name}.value --output tsv > ${folder}/${name}.env`;
  return [
    `Look through ${folder}/twinkey.yaml: which accounts, how often, who is waited for.`,
    'export OIDC_ISSUER_URL=… DATABASE_ADMINISTRATOR_ID=… DATABASE_ADMINISTRATOR_NAME=…',
    `az group create --name twinkey --location westeurope && az deployment group create --resource-group twinkey --name main --parameters ${parameters}   # makes ${prefix}-bus, ${prefix}-keys, ${prefix}-postgres`,
    `${output('settings')} && ${output('identities')} && ${output('database')}`,
    `Write your registry into ${folder}/kustomization.yaml; make roles, schemas and the salt as in deploy/kubernetes/README.md.`,
    `kubectl apply -k ${folder}`,
    'twinkey doctor   # with the environment of each service',
  ];
}
