// docs/reference/asyncapi.json: the same messages as in messages.md for generators and catalogues, as AsyncAPI 3.0.
// Channels are the entities of the topology, operations say which service does what with them.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as contracts from '../../libs/contracts/dist/index.js';
import { contractSchema } from './contract-schema.mjs';
import { docsIn, MESSAGES, samples, sentenceAbove } from './contract-texts.mjs';
import { azureEvent, envelopeOf } from './envelopes.mjs';
import { readSource, root } from './sources.mjs';

const AZURE_SAMPLES = 'libs/contracts/samples-azure';

export function asyncApiDocument() {
  const entities = entitiesOf(contracts.topology({ shards: 1 }));
  return `${JSON.stringify(
    {
      asyncapi: '3.0.0',
      info: {
        title: 'twinkey messages',
        version: '1',
        description:
          'Every message of twinkey on Azure Service Bus, for all of its services at once: an operation is tagged with the service that sends or receives. A message only says "look again"; it may be lost, doubled, delayed or reordered. No message carries a key. Inside `.v1` a type only grows: readers ignore fields that they do not know. A type or a major version that a service does not know is dead-lettered as `NoHandler`, a body that breaks its schema as `UnreadableMessage` with the field and the rule.',
        license: { name: 'MIT' },
        tags: tagsOf(entities),
      },
      defaultContentType: contracts.MESSAGE_CONTENT_TYPE,
      servers: {
        serviceBus: {
          host: '{namespace}.servicebus.windows.net',
          protocol: 'amqps',
          protocolVersion: '1.0',
          description: 'The Service Bus namespace of an installation.',
          variables: {
            namespace: { description: 'As in TWINKEY_SERVICE_BUS_NAMESPACE.', examples: ['contoso-keys'] },
          },
          security: [{ $ref: '#/components/securitySchemes/entra' }],
        },
      },
      channels: Object.fromEntries(entities.flatMap(channelsOf)),
      operations: Object.fromEntries(entities.flatMap(operationsOf)),
      components: {
        messages: Object.fromEntries([
          ...MESSAGES.map(([name, file]) => [name, messageOf(name, `libs/contracts/src/${file}`)]),
          ['AzureEvent', messageOfAzure()],
        ]),
        securitySchemes: {
          entra: {
            type: 'openIdConnect',
            openIdConnectUrl:
              'https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration',
            description:
              'A token of the tenant for https://servicebus.azure.net/.default, put to the `$cbs` node of the connection. Who may send and receive where: deploy/roles.json.',
          },
        },
      },
    },
    null,
    2,
  )}\n`;
}

/** Queues and topics alike: who sends, and through which addresses it is received by whom. */
function entitiesOf({ queues, topics }) {
  return [
    ...queues.map(({ name, from, to }) => ({
      kind: 'queue',
      name,
      address: name,
      senders: [from],
      receivers: [{ service: to, address: name }],
    })),
    ...topics.map(({ name, from, subscriptions }) => {
      const address = name.replace(/-0$/, '-{shard}');
      return {
        kind: 'topic',
        name: name.replace(/-0$/, ''),
        address,
        senders: from.split(', '),
        receivers: (subscriptions.length > 0 ? subscriptions : ['consumers']).map((service) => ({
          service,
          address: `${address}/subscriptions/${subscriptions.length > 0 ? service : '{subscription}'}`,
        })),
      };
    }),
  ];
}

function channelsOf(entity) {
  const { lockDuration, maxDeliveryCount, duplicateDetectionWindow, timeToLive } = contracts.ENTITY_DEFAULTS;
  const messages = Object.fromEntries(
    messagesIn(entity).map((name) => [name, { $ref: `#/components/messages/${name}` }]),
  );
  const receiving = { lockDuration, maxDeliveryCount, timeToLive, deadLetterOnExpiry: true };
  const channel = (address, description, settings) => ({
    address,
    description,
    messages,
    ...parametersIn(address),
    'x-service-bus': settings,
  });
  if (entity.kind === 'queue') {
    const [{ service }] = entity.receivers;
    return [
      [
        entity.name,
        channel(entity.address, `Queue from ${entity.senders.join(', ')} to ${service}.`, {
          entity: 'queue',
          duplicateDetectionWindow,
          ...receiving,
        }),
      ],
    ];
  }
  return [
    [
      entity.name,
      channel(entity.address, `Topic of ${entity.senders.join(', ')}.`, {
        entity: 'topic',
        duplicateDetectionWindow,
        timeToLive,
      }),
    ],
    ...entity.receivers.map(({ service, address }) => [
      `${entity.name}.${service}`,
      channel(
        address,
        address.endsWith('}')
          ? 'One subscription for each instance of a consumer, and one for each declared receiver.'
          : `Subscription of ${service}.`,
        { entity: 'subscription', ...receiving },
      ),
    ]),
  ];
}

const PARAMETERS = {
  shard: {
    description:
      'Which of the key-changed topics: 0 up to TWINKEY_KEY_CHANGED_SHARDS - 1; an account is always on the same one.',
    default: '0',
  },
  subscription: {
    description:
      'Named in the answer to a registration, or in the declaration of a consumer that is one receiver.',
  },
};

function parametersIn(address) {
  const names = [...address.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  return names.length === 0
    ? {}
    : { parameters: Object.fromEntries(names.map((name) => [name, PARAMETERS[name]])) };
}

function operationsOf(entity) {
  const { kind, name, senders, receivers } = entity;
  const operation = (action, service, channel) => ({
    action,
    channel: { $ref: `#/channels/${channel}` },
    summary: `${service} ${action === 'send' ? 'sends to' : 'receives from'} ${name}`,
    tags: [{ name: service }],
    messages: messagesIn(entity).map((message) => ({ $ref: `#/channels/${channel}/messages/${message}` })),
  });
  return [
    ...senders.map((service) => [idOf(service, 'sends', name), operation('send', service, name)]),
    ...receivers.map(({ service }) => [
      idOf(service, 'receives', name),
      operation('receive', service, kind === 'queue' ? name : `${name}.${service}`),
    ]),
  ];
}

function idOf(...words) {
  const [first, ...others] = words.flatMap((word) => word.split(/[ -]/));
  return first.toLowerCase() + others.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function tagsOf(entities) {
  const services = entities.flatMap(({ senders, receivers }) => [
    ...senders,
    ...receivers.map(({ service }) => service),
  ]);
  return [...new Set(services)].sort().map((name) => ({ name }));
}

function messagesIn({ name }) {
  if (name === contracts.AZURE_EVENTS) return ['AzureEvent'];
  const found = MESSAGES.map(([message]) => message).filter((message) => contracts[message].entity === name);
  if (found.length === 0) throw new Error(`no contract travels through ${name}`);
  return found;
}

function messageOf(name, path) {
  const { type, data } = contracts[name];
  const source = readSource(path);
  const schema = describeFields(contractSchema(data), docsIn(source, name));
  return {
    name: type,
    title: name,
    summary: sentenceAbove(source, name),
    contentType: contracts.MESSAGE_CONTENT_TYPE,
    headers: HEADERS,
    correlationId: {
      description: 'The W3C trace of what caused it; that of a rotation follows from its id.',
      location: '$message.payload#/traceparent',
    },
    payload: envelopeOf(type, schema),
    examples: samples
      .filter(({ body }) => body.type === type)
      .map(({ file, body }) => ({
        name: file.replace(/\.json$/, ''),
        ...(body.traceparent === undefined
          ? {}
          : { headers: { traceparent: body.traceparent, 'Diagnostic-Id': body.traceparent } }),
        payload: body,
      })),
  };
}

function describeFields(schema, docs) {
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return schema;
  const described = fields.map(([field, rule]) => [
    field,
    docs[field] === undefined ? rule : { description: docs[field], ...rule },
  ]);
  return { ...schema, properties: Object.fromEntries(described) };
}

/** Application properties; what else is on the envelope of AMQP says what the payload says. */
const HEADERS = {
  type: 'object',
  description:
    'Application properties. The message id of AMQP is the `id` of the payload, its subject is `subject`, its content type that of this message.',
  properties: {
    traceparent: { type: 'string', description: 'As in the payload.' },
    'Diagnostic-Id': { type: 'string', description: 'The same for the SDKs of Azure.' },
  },
};

function messageOfAzure() {
  return {
    name: 'AzureEvent',
    title: 'AzureEvent',
    summary: 'Azure Event Grid says that a secret has a new version or that a key was regenerated.',
    contentType: 'application/json',
    payload: azureEvent,
    examples: readdirSync(join(root, AZURE_SAMPLES))
      .sort()
      .map((file) => ({
        name: file.replace(/\.json$/, ''),
        payload: JSON.parse(readSource(`${AZURE_SAMPLES}/${file}`)),
      })),
  };
}
