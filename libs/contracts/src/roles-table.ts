// Which identity may do what in Azure: the one list. The infrastructure assigns from deploy/roles.json, which is written from
// it; development clusters give the embedded Azure the same rights; `twinkey doctor` asks for each of them.
import type { RoleAssignment, RoleFeature, RolePlace, RoleTable } from './roles.js';

const SEND = 'Azure Service Bus Data Sender';
const RECEIVE = 'Azure Service Bus Data Receiver';

/** One role at one thing, as [role, place, name]; the feature that it belongs to, if not everybody has it. */
type Line = readonly [role: string, at: RolePlace, name?: string | undefined, only?: RoleFeature];

const of = (identity: string, lines: readonly Line[]): readonly RoleAssignment[] =>
  lines.map(([role, at, name, only]) => ({
    identity,
    role,
    at,
    ...(name === undefined ? {} : { name }),
    ...(only === undefined ? {} : { only }),
  }));

/** Identities, roles and who has which. */
export const ROLES: RoleTable = {
  builtIn: {
    'Azure Service Bus Data Sender': '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39',
    'Azure Service Bus Data Receiver': '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0',
    'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
  },
  custom: {
    'twinkey account reader': {
      what: 'See which accounts there are; no key of theirs.',
      actions: ['Microsoft.CognitiveServices/accounts/read'],
      dataActions: [],
    },
    'twinkey key rotator': {
      what: 'List and regenerate the keys of an account, and nothing else: not change it, not delete it.',
      actions: [
        'Microsoft.CognitiveServices/accounts/read',
        'Microsoft.CognitiveServices/accounts/listKeys/action',
        'Microsoft.CognitiveServices/accounts/regenerateKey/action',
      ],
      dataActions: [],
    },
    'twinkey secret publisher': {
      what: 'Write versions of secrets, read them back, disable old ones. Not delete, purge, back up or restore.',
      actions: [],
      dataActions: [
        'Microsoft.KeyVault/vaults/secrets/getSecret/action',
        'Microsoft.KeyVault/vaults/secrets/readMetadata/action',
        'Microsoft.KeyVault/vaults/secrets/setSecret/action',
        'Microsoft.KeyVault/vaults/secrets/update/action',
      ],
    },
    'twinkey subscription keeper': {
      what: 'Make and remove the subscriptions of consumer instances below a topic.',
      actions: [
        'Microsoft.ServiceBus/namespaces/topics/subscriptions/read',
        'Microsoft.ServiceBus/namespaces/topics/subscriptions/write',
        'Microsoft.ServiceBus/namespaces/topics/subscriptions/delete',
      ],
      dataActions: [],
    },
    'twinkey queue counter': {
      what: 'Read how many messages wait; for the autoscaler.',
      actions: ['Microsoft.ServiceBus/namespaces/queues/read'],
      dataActions: [],
    },
  },
  identities: {
    scheduler: { what: 'Service', serviceAccount: 'scheduler' },
    rotator: { what: 'Service, the only one that can read or replace a key', serviceAccount: 'rotator' },
    notifier: { what: 'Service, has no right on any key', serviceAccount: 'notifier' },
    console: { what: 'Service, has no right on any key', serviceAccount: 'console' },
    keda: { what: "The autoscaler, never a service's own identity", only: 'autoscaling' },
    'event-grid': { what: "Azure Event Grid's system topics, each with its own identity", only: 'events' },
    consumer: { what: 'Each application that uses keys, with an identity of its own', only: 'consumers' },
  },
  assignments: [
    ...of('scheduler', [
      [SEND, 'queue', 'rotation-due'],
      [SEND, 'topic', 'registry-events'],
      [RECEIVE, 'subscription', 'rotation-events/scheduler'],
      ['twinkey account reader', 'account'],
      ['twinkey account reader', 'azure-subscription', undefined, 'discovery'],
    ]),
    ...of('rotator', [
      [RECEIVE, 'queue', 'rotation-due'],
      [RECEIVE, 'queue', 'rotation-commands'],
      [RECEIVE, 'queue', 'switch-outcomes'],
      [RECEIVE, 'queue', 'azure-events'],
      [RECEIVE, 'subscription', 'registry-events/rotator'],
      [SEND, 'queue', 'switch-requests'],
      [SEND, 'topic', 'rotation-events'],
      [SEND, 'topic', 'registry-events'],
      ['twinkey key rotator', 'account'],
      ['twinkey secret publisher', 'vault'],
    ]),
    ...of('notifier', [
      [RECEIVE, 'queue', 'switch-requests'],
      [RECEIVE, 'queue', 'acknowledgements'],
      [RECEIVE, 'subscription', 'registry-events/notifier'],
      [SEND, 'queue', 'switch-outcomes'],
      [SEND, 'topic', 'registry-events'],
      [SEND, 'key-changed-topic'],
      ['twinkey subscription keeper', 'key-changed-topic'],
    ]),
    ...of('console', [
      [SEND, 'queue', 'rotation-commands'],
      [SEND, 'topic', 'registry-events'],
      [RECEIVE, 'subscription', 'rotation-events/console'],
      [RECEIVE, 'subscription', 'registry-events/console'],
      [RECEIVE, 'queue', 'rotation-due', 'dead-letters'],
      [SEND, 'queue', 'rotation-due', 'dead-letters'],
      [RECEIVE, 'queue', 'rotation-commands', 'dead-letters'],
      [RECEIVE, 'queue', 'switch-requests', 'dead-letters'],
      [SEND, 'queue', 'switch-requests', 'dead-letters'],
      [RECEIVE, 'queue', 'switch-outcomes', 'dead-letters'],
      [SEND, 'queue', 'switch-outcomes', 'dead-letters'],
      [RECEIVE, 'queue', 'acknowledgements', 'dead-letters'],
      [SEND, 'queue', 'acknowledgements', 'dead-letters'],
      [RECEIVE, 'queue', 'azure-events', 'dead-letters'],
      [SEND, 'queue', 'azure-events', 'dead-letters'],
      [RECEIVE, 'subscription', 'rotation-events/scheduler', 'dead-letters'],
      [RECEIVE, 'subscription', 'registry-events/rotator', 'dead-letters'],
      [RECEIVE, 'subscription', 'registry-events/notifier', 'dead-letters'],
      [SEND, 'topic', 'rotation-events', 'dead-letters'],
    ]),
    ...of('keda', [
      ['twinkey queue counter', 'queue', 'rotation-due', 'autoscaling'],
      ['twinkey queue counter', 'queue', 'switch-requests', 'autoscaling'],
      ['twinkey queue counter', 'queue', 'acknowledgements', 'autoscaling'],
    ]),
    ...of('event-grid', [[SEND, 'queue', 'azure-events', 'events']]),
    ...of('consumer', [
      ['Key Vault Secrets User', 'secret', undefined, 'consumers'],
      [RECEIVE, 'key-changed-topic', undefined, 'consumers'],
      [SEND, 'queue', 'acknowledgements', 'consumers'],
    ]),
  ],
};
