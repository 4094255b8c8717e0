// Reads the infrastructure with a parser of Bicep's grammar. There is no compiler here: names of properties are not checked,
// and nothing was deployed.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { emulatorConfig, topology, type Topology } from '@twinkey/contracts';
import { Language, Parser, type Node } from 'web-tree-sitter';
import { generatedFiles, SHARDS } from './generated.js';
import {
  infrastructureFaults,
  moduleFaults,
  ROLE_ASSIGNMENT,
  type BicepFile,
  type Declaration,
} from './infrastructure-rules.js';
import { mailFaults, roleFaults, TOO_BROAD } from './role-rules.js';
import { grantsOf, readRoles, type Assignment } from './roles.js';
import { root } from './repository.js';

const entities = topology({ shards: SHARDS.azure });
const roles = readRoles();
let parser: Parser;

beforeAll(async () => {
  await Parser.init();
  const grammar = createRequire(import.meta.url).resolve('tree-sitter-bicep/tree-sitter-bicep.wasm');
  parser = new Parser();
  parser.setLanguage(await Language.load(grammar));
});

describe('the roles', () => {
  it('are none too broad, at things that exist, and show a key to nobody who needs none', () => {
    expect(roleFaults(roles, entities)).toEqual([]);
  });

  it('let everybody send and receive what the topology says, and nothing else', () => {
    expect(mailFaults(roles, withSignsOfLife(entities))).toEqual([]);
    const silent = roles.assignments.filter(({ role }) => !role.endsWith('Data Sender'));
    expect(mailFaults({ ...roles, assignments: silent }, entities)).toContain(
      'send to rotation-due: scheduler does, nobody may',
    );
  });

  it('let the console take and return the dead letters of everything that always exists', () => {
    const own = grantsOf(roles, entities).filter(({ identity }) => identity === 'console');
    const at = (role: string, place: string) =>
      own
        .filter((grant) => grant.role.endsWith(role) && grant.at === place)
        .map(({ name }) => name)
        .toSorted();
    const queues = entities.queues.map(({ name }) => name).toSorted();
    const topics = entities.topics.filter(({ subscriptions }) => subscriptions.length > 0);
    expect(at('Receiver', 'queue')).toEqual(queues);
    expect(at('Sender', 'queue')).toEqual(queues);
    expect(at('Sender', 'topic')).toEqual(topics.map(({ name }) => name).toSorted());
    expect(at('Receiver', 'subscription')).toEqual(
      topics.flatMap(({ name, subscriptions }) => subscriptions.map((one) => `${name}/${one}`)).toSorted(),
    );
  });

  it.each<[string, Assignment]>([
    [
      'console: twinkey key rotator at account lets it see a key',
      grant('console', 'twinkey key rotator', 'account'),
    ],
    [
      'consumer: Key Vault Secrets User at vault lets it see a key',
      grant('consumer', 'Key Vault Secrets User', 'vault'),
    ],
    ['scheduler: no such role as Owner', grant('scheduler', 'Owner', 'vault')],
    ['nobody: no such identity', grant('nobody', 'twinkey account reader', 'account')],
    ['keda: there is no queue rotation-dew', grant('keda', 'twinkey queue counter', 'queue', 'rotation-dew')],
    [
      'scheduler: twinkey account reader at account is assigned twice',
      grant('scheduler', 'twinkey account reader', 'account'),
    ],
  ])('would be found out: %s', (fault, planted) => {
    const spoilt = { ...roles, assignments: [...roles.assignments, planted] };
    expect(roleFaults(spoilt, entities)).toContainEqual(expect.stringContaining(fault));
  });

  it.each([
    ['Microsoft.CognitiveServices/*', 'allows what nobody has thought of'],
    ['Microsoft.CognitiveServices/accounts/delete', 'changes more than keys'],
    ['Microsoft.Authorization/roleAssignments/write', 'lets it give itself more'],
    ['Microsoft.KeyVault/vaults/secrets/purge/action', 'is not needed'],
  ])('would be found out: a custom role with %s', (action, fault) => {
    const custom = { ...roles.custom, planted: { what: '', actions: [action], dataActions: [] } };
    expect(roleFaults({ ...roles, custom }, entities)).toContain(
      `planted: ${action} ${fault}`.replace('keys', 'keys and subscriptions'),
    );
  });
});

describe('the infrastructure', () => {
  const folder = `${root}deploy/bicep`;

  it('is Bicep, every file of it', () => {
    const files = bicepFiles(folder);
    expect(files).toContain('main.bicep');
    for (const file of files)
      expect([file, errorsIn(readFileSync(join(folder, file), 'utf8'))]).toEqual([file, []]);
    expect(errorsIn("resource x 'a/b@1' = {\n  name: \n")).not.toEqual([]);
  });

  it('calls its modules with what they ask for, and uses what they answer', () => {
    expect([...moduleFaults(readFolder(folder))]).toEqual([]);
    const spoilt = readFolder(folder).map(({ text, ...file }) =>
      readBicep(
        file.file,
        text.replace('principalId string', 'principal string').replace('output url', 'output uri'),
      ),
    );
    expect([...moduleFaults(spoilt)]).toEqual(
      expect.arrayContaining([
        'consumer.bicep: secrets: modules/secret-roles.bicep has no parameter principalId',
        'consumer.bicep: secrets: modules/secret-roles.bicep wants principal',
        'main.bicep: modules/key-vault.bicep has no output url',
      ]),
    );
  });

  it('assigns the roles of deploy/roles.json, each at the smallest thing', () => {
    const files = readFolder(folder);
    const assignments = files
      .flatMap(({ declarations }) => declarations)
      .filter(({ type }) => type === ROLE_ASSIGNMENT);
    expect(assignments.map(({ symbol }) => symbol)).toHaveLength(8);
    expect(infrastructureFaults(files, roles)).toEqual([]);
  });

  it.each([
    ...Object.entries(TOO_BROAD).map(([name, id]): [string, string, string, string] => [
      `${name} is too broad`,
      'modules/key-vault.bicep',
      "roleIds['twinkey secret publisher']",
      `subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '${id.toUpperCase()}')`,
    ]),
    [
      'Owner is too broad',
      'modules/key-vault.bicep',
      "roleIds['twinkey secret publisher']",
      "roleIds['Owner']",
    ],
    ['and not for one entity', 'modules/service-bus-roles.bicep', 'scope: queues[index]', 'scope: namespace'],
    ['it is for everything', 'modules/account-roles.bicep', '  scope: account\n', ''],
    [
      'it is for resourceGroup()',
      'modules/account-roles.bicep',
      'scope: account\n',
      'scope: resourceGroup()\n',
    ],
    [
      'assigns twinkey key rotator to nobody at the azure-subscription',
      'modules/discovery-role.bicep',
      "roleIds['twinkey account reader']",
      "roleIds['twinkey key rotator']",
    ],
    [
      'nobody assigns twinkey key rotator at the account',
      'modules/account-roles.bicep',
      "roleIds['twinkey key rotator']",
      "roleIds['twinkey account reader']",
    ],
  ])('would be found out: %s (%#)', (fault, file, before, after) => {
    const copy = mkdtempSync(join(tmpdir(), 'twinkey-bicep-'));
    try {
      cpSync(folder, copy, { recursive: true });
      const text = readFileSync(join(copy, file), 'utf8');
      expect(text).toContain(before);
      writeFileSync(join(copy, file), text.replace(before, after));
      expect(infrastructureFaults(readFolder(copy), roles)).toContainEqual(expect.stringContaining(fault));
    } finally {
      rmSync(copy, { recursive: true });
    }
  });

  it('opens Service Bus to identities only, and lets no secret be purged', () => {
    const one = (type: string) =>
      readFolder(folder)
        .flatMap(({ declarations }) => declarations)
        .filter((declaration) => declaration.type === type && !declaration.existing)
        .map(({ properties }) => properties);
    expect(one('Microsoft.ServiceBus/namespaces')).toEqual([
      expect.objectContaining({
        'properties.disableLocalAuth': 'true',
        'properties.minimumTlsVersion': "'1.2'",
      }),
    ]);
    expect(one('Microsoft.KeyVault/vaults')).toEqual([
      expect.objectContaining({
        'properties.enableRbacAuthorization': 'true',
        'properties.enablePurgeProtection': 'true',
        'properties.softDeleteRetentionInDays': '90',
      }),
    ]);
    expect(one('Microsoft.DBforPostgreSQL/flexibleServers')).toEqual([
      expect.objectContaining({ 'properties.authConfig.activeDirectoryAuth': "'Enabled'" }),
    ]);
    expect(one('Microsoft.ServiceBus/namespaces/AuthorizationRules')).toEqual([]);
  });

  it('is named in every example as Bicep would name it', () => {
    const main = readFolder(folder).find(({ file }) => file === 'main.bicep');
    const named = (module: string) =>
      main?.declarations
        .find(({ symbol }) => symbol === module)
        ?.properties['params.name']?.replace('${prefix}', 'contoso')
        .replaceAll("'", '');
    const examples = [...textsIn(`${root}deploy`), ...textsIn(`${root}docs`), `${root}.env.example`];
    const given = (pattern: RegExp) =>
      new Set(
        examples.flatMap((file) =>
          [...readFileSync(file, 'utf8').matchAll(pattern)].map(([, name]) => name ?? ''),
        ),
      );
    expect([
      ...given(/(contoso[\w-]*)\.servicebus\.windows\.net/g),
      ...given(/(?:--namespace-name |namespaceName=)(contoso[\w-]*)/g),
    ]).toEqual([named('serviceBus'), named('serviceBus')]);
    expect([
      ...given(/(contoso[\w-]*)\.vault\.azure\.net/g),
      ...given(/(?:--vault-name |vaultName=)(contoso[\w-]*)/g),
    ]).toEqual([named('vault'), named('vault')]);
    expect([...given(/(contoso[\w-]*)\.postgres\.database\.azure\.com/g)]).toEqual([named('postgres')]);
  });

  it('answers with the files of the overlay, as they stand there', () => {
    const text = readFileSync(join(folder, 'main.bicep'), 'utf8');
    const overlay = (name: string) =>
      readFileSync(`${root}deploy/kubernetes/overlays/aks/${name}.env`, 'utf8')
        .split('\n')
        .filter((line) => /^\w/.test(line));
    const [, settings = ''] = /^output settings string = join\(\[([^\]]*)\]/m.exec(text) ?? [];
    expect([...settings.matchAll(/'(\w+)=/g)].map(([, name]) => name)).toEqual(
      overlay('settings').map((line) => line.split('=')[0]),
    );
    const [, url = ''] =
      /^output database string = join\(\s*map\([^,]*, identity => '([^']*)'\)/m.exec(text) ?? [];
    const services = Object.keys(roles.identities).filter((name) => roles.identities[name]?.serviceAccount);
    expect(overlay('database').toSorted()).toEqual(
      services
        .map((name) =>
          url
            .replaceAll('${identity.name}', name)
            .replace('${postgres.outputs.host}', 'contoso-postgres.postgres.database.azure.com'),
        )
        .toSorted(),
    );
  });

  it('lets nobody into the database with a password', () => {
    const [server] = readFolder(folder)
      .flatMap(({ declarations }) => declarations)
      .filter(({ type }) => type === 'Microsoft.DBforPostgreSQL/flexibleServers');
    expect(server?.properties).toMatchObject({
      'properties.authConfig.activeDirectoryAuth': "'Enabled'",
      'properties.authConfig.passwordAuth': "'Disabled'",
    });
    const [main] = readFolder(folder).filter(({ file }) => file === 'main.bicep');
    expect(Object.keys(main?.parameters ?? {}).filter((name) => /password/i.test(name))).toEqual([]);
  });

  it('makes every entity in the way that the broker of development has it', () => {
    const properties = (type: string) =>
      readFolder(folder)
        .flatMap(({ declarations }) => declarations)
        .find((declaration) => declaration.type === type && !declaration.existing)?.properties;
    const received = {
      'properties.lockDuration': 'topology.defaults.lockDuration',
      'properties.maxDeliveryCount': 'topology.defaults.maxDeliveryCount',
      'properties.deadLetteringOnMessageExpiration': 'true',
    };
    const sent = {
      'properties.defaultMessageTimeToLive': 'topology.defaults.timeToLive',
      'properties.requiresDuplicateDetection': 'true',
      'properties.duplicateDetectionHistoryTimeWindow': 'topology.defaults.duplicateDetectionWindow',
    };
    expect(properties('Microsoft.ServiceBus/namespaces/queues')).toMatchObject({ ...received, ...sent });
    expect(properties('Microsoft.ServiceBus/namespaces/topics')).toMatchObject(sent);
    expect(properties('Microsoft.ServiceBus/namespaces/topics/subscriptions')).toMatchObject(received);
  });

  it('trusts the service accounts by their names, and no other issuer than the cluster', () => {
    const federations = readFolder(folder)
      .flatMap(({ declarations }) => declarations)
      .filter(({ type }) => type.endsWith('/federatedIdentityCredentials'));
    expect(federations.map(({ properties }) => properties['properties.issuer'])).toEqual([
      'oidcIssuerUrl',
      'oidcIssuerUrl',
    ]);
    expect(federations.map(({ properties }) => properties['properties.subject'])).toEqual([
      "'system:serviceaccount:${kubernetesNamespace}:${service.value.serviceAccount}'",
      'kedaSubject',
    ]);
  });

  it('lets Event Grid deliver into the queue that the rotator reads, and only what it understands', () => {
    const events = readFolder(folder).find(({ file }) => file === 'modules/events.bicep');
    expect(events?.strings).toEqual(
      expect.arrayContaining([
        'Microsoft.KeyVault.SecretNewVersionCreated',
        'Microsoft.Resources.ResourceActionSuccess',
        'Microsoft.CognitiveServices/accounts/regenerateKey/action',
      ]),
    );
    expect(grantsOf(roles, entities).filter(({ identity }) => identity === 'event-grid')).toEqual([
      { identity: 'event-grid', role: 'Azure Service Bus Data Sender', at: 'queue', name: 'azure-events' },
    ]);
  });
});

describe('the entities of Service Bus', () => {
  it('are the same for the embedded broker, the official emulator and Azure', () => {
    for (const [path, content] of Object.entries(generatedFiles()))
      expect([path, JSON.parse(readFileSync(root + path, 'utf8'))]).toEqual([
        path,
        JSON.parse(JSON.stringify(content)),
      ]);
    const names = ({ queues, topics }: ReturnType<typeof topology>) => ({
      queues: queues.map(({ name }) => name),
      topics: topics.map(({ name }) => name),
    });
    const bicep = JSON.parse(readFileSync(`${folderOf('bicep')}/topology.json`, 'utf8')) as ReturnType<
      typeof names
    >;
    expect(bicep).toMatchObject(names(entities));
    const emulator = JSON.parse(readFileSync(`${root}docker/servicebus-config.json`, 'utf8')) as object;
    expect(emulator).toEqual(
      JSON.parse(JSON.stringify(emulatorConfig(topology({ shards: SHARDS.compose })))),
    );
  });
});

/** The rotator says in registry-events that it is alive, although the topic is not about it. */
function withSignsOfLife({ queues, topics }: Topology): Topology {
  return {
    queues,
    topics: topics.map((topic) =>
      topic.name === 'registry-events' && !topic.from.includes('rotator')
        ? { ...topic, from: `${topic.from}, rotator` }
        : topic,
    ),
  };
}

function folderOf(part: string): string {
  return `${root}deploy/${part}`;
}

function grant(identity: string, role: string, at: Assignment['at'], name?: string): Assignment {
  return { identity, role, at, ...(name === undefined ? {} : { name }) };
}

function bicepFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.bicep'));
}

function readFolder(folder: string): readonly BicepFile[] {
  return bicepFiles(folder).map((file) => readBicep(file, readFileSync(join(folder, file), 'utf8')));
}

function rootOf(text: string): Node {
  const tree = parser.parse(text);
  if (tree === null) throw new Error('the parser gave up');
  return tree.rootNode;
}

/** Where the grammar does not fit. */
function errorsIn(text: string): readonly string[] {
  const errors: string[] = [];
  for (const node of nodesIn(rootOf(text)))
    if (node.type === 'ERROR' || node.isMissing)
      errors.push(`line ${node.startPosition.row + 1}: ${node.text.slice(0, 60)}`);
  return errors;
}

function* nodesIn(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* nodesIn(child);
}

function readBicep(file: string, text: string): BicepFile {
  const top = rootOf(text);
  const declarations = top.namedChildren.flatMap((node) =>
    node.type === 'resource_declaration' || node.type === 'module_declaration'
      ? [declarationOf(file, node)]
      : [],
  );
  const strings = [...nodesIn(top)].filter(({ type }) => type === 'string_content').map((node) => node.text);
  const targetScope = /^targetScope = '(\w+)'/m.exec(text)?.[1] ?? 'resourceGroup';
  const named = (type: string) => top.namedChildren.filter((node) => node.type === type);
  const nameOf = (node: Node) => node.namedChildren.find(({ type }) => type === 'identifier')?.text ?? '';
  const parameters = named('parameter_declaration').map((node): [string, 'required' | 'optional'] => [
    nameOf(node),
    node.children.some((child) => child.text === '=') ? 'optional' : 'required',
  ]);
  return {
    file,
    targetScope,
    declarations,
    strings,
    parameters: Object.fromEntries(parameters),
    outputs: named('output_declaration').map(nameOf),
    text,
  };
}

function declarationOf(file: string, node: Node): Declaration {
  const [symbol, name, body] = node.namedChildren.filter((child) => child.type !== 'decorators');
  const type = (name?.text ?? '').replaceAll("'", '').replace(/@.*$/, '');
  const isObject = (one: Node | undefined) => one?.type === 'object';
  const object = isObject(body) ? body : body?.namedChildren.findLast(isObject);
  return {
    file,
    what: node.type === 'module_declaration' ? 'module' : 'resource',
    symbol: symbol?.text ?? '',
    type,
    existing: node.children.some((child) => child.type === 'existing' || child.text === 'existing'),
    properties: object === undefined ? {} : Object.fromEntries(propertiesOf(object, '')),
  };
}

function* propertiesOf(object: Node, path: string): Generator<[string, string]> {
  for (const property of object.namedChildren) {
    if (property.type !== 'object_property') continue;
    const [key, value] = property.namedChildren;
    const here = `${path}${key?.text ?? ''}`;
    if (value?.type === 'object') yield* propertiesOf(value, `${here}.`);
    else yield [here, value?.text ?? ''];
  }
}

/** The files in which somebody might name something of an installation. */
function textsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(md|env|yaml|bicep)$/.test(file))
    .map((file) => join(folder, file));
}
