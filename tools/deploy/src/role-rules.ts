// What must hold of deploy/roles.json: no role is broad, none shows a key to somebody who needs none, and whoever sends or
// receives a message may. Each rule answers with sentences about what breaks it.
import type { Topology } from '@twinkey/contracts';
import { grantsOf, type Grant, type Roles } from './roles.js';

/** Azure's roles that allow more than any part of twinkey needs, most of them also to give oneself more. */
export const TOO_BROAD: Readonly<Record<string, string>> = {
  Owner: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
  Contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
  'User Access Administrator': '18d7d88d-d35e-4fb5-a5c3-7773c20a72d9',
  'Role Based Access Control Administrator': 'f58310d9-a9f6-439a-9e8d-f62e7b41a168',
  // Deletes accounts.
  'Cognitive Services Contributor': '25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68',
  // Lists keys, too.
  'Cognitive Services User': 'a97b65f3-24c7-4388-baec-2e87135dc908',
  'Key Vault Administrator': '00482a5a-887f-4fb3-b363-3b7fe8e74483',
  'Key Vault Contributor': 'f25e0fa2-a7c8-4377-a976-54943a77a395',
  // Deletes secrets, too.
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  'Azure Service Bus Data Owner': '090c5cfd-751d-490a-894a-3ce6f1109419',
};

const SEND = 'Azure Service Bus Data Sender';
const RECEIVE = 'Azure Service Bus Data Receiver';

/** What is wrong with deploy/roles.json itself. */
export function roleFaults(roles: Roles, topology: Topology): readonly string[] {
  return [
    ...broadRoles(roles),
    ...unknownNames(roles, topology),
    ...doubled(grantsOf(roles, topology)),
    ...handsOnKeys(roles),
  ];
}

function* broadRoles({ builtIn, custom }: Roles): Generator<string> {
  for (const [name, id] of Object.entries(builtIn))
    if (name in TOO_BROAD || Object.values(TOO_BROAD).includes(id)) yield `${name} is too broad`;
  for (const [name, { actions, dataActions }] of Object.entries(custom)) {
    for (const action of [...actions, ...dataActions]) {
      if (action.includes('*')) yield `${name}: ${action} allows what nobody has thought of`;
      if (action.startsWith('Microsoft.Authorization/')) yield `${name}: ${action} lets it give itself more`;
      if (/\/(purge|backup|restore|recover)\//i.test(action)) yield `${name}: ${action} is not needed`;
      if (/\/(delete|write)$/i.test(action) && !/\/topics\/subscriptions\//.test(action))
        yield `${name}: ${action} changes more than keys and subscriptions`;
    }
  }
}

function* unknownNames(roles: Roles, topology: Topology): Generator<string> {
  const queues = topology.queues.map(({ name }) => name);
  const topics = topology.topics.map(({ name }) => name);
  const subscriptions = topology.topics.flatMap(({ name, subscriptions: own }) =>
    own.map((subscription) => `${name}/${subscription}`),
  );
  const known: Readonly<Record<string, readonly string[]>> = {
    queue: queues,
    topic: topics,
    subscription: subscriptions,
  };
  for (const { identity, role, at, name } of roles.assignments) {
    if (!(identity in roles.identities)) yield `${identity}: no such identity`;
    if (!(role in roles.builtIn) && !(role in roles.custom)) yield `${identity}: no such role as ${role}`;
    if (name === undefined ? at in known : known[at]?.includes(name) !== true)
      yield `${identity}: there is no ${at} ${name ?? 'without a name'}`;
  }
}

/** Azure refuses a deployment that assigns the same twice. */
function* doubled(grants: readonly Grant[]): Generator<string> {
  const seen = new Set<string>();
  for (const { identity, role, at, name = '' } of grants) {
    const key = `${identity}: ${role} at ${at} ${name}`.trim();
    if (seen.has(key)) yield `${key} is assigned twice`;
    seen.add(key);
  }
}

/** Who can come to know a key. */
function* handsOnKeys(roles: Roles): Generator<string> {
  const reads = (role: string) =>
    role === 'Key Vault Secrets User' ||
    [...(roles.custom[role]?.actions ?? []), ...(roles.custom[role]?.dataActions ?? [])].some((action) =>
      /(listKeys|regenerateKey|getSecret|setSecret)\/action$/.test(action),
    );
  for (const { identity, role, at } of roles.assignments) {
    if (!reads(role)) continue;
    if (identity === 'consumer' ? at !== 'secret' : identity !== 'rotator')
      yield `${identity}: ${role} at ${at} lets it see a key that is not its own`;
  }
}

/** What the topology says about who sends and receives, against who may. Dead letters are somebody else's mail. */
export function mailFaults(roles: Roles, topology: Topology): readonly string[] {
  const grants = grantsOf(roles, topology, ['consumers', 'events']);
  const who = (role: string, at: Grant['at'], name: string) =>
    grants
      .filter((grant) => grant.role === role && grant.at === at && grant.name === name)
      .map(({ identity }) => identity)
      .toSorted();
  const differ = (what: string, may: readonly string[], does: readonly string[]) =>
    may.join() === does.toSorted().join()
      ? []
      : [`${what}: ${does.join(', ')} does, ${may.join(', ') || 'nobody'} may`];
  const identity = (name: string) =>
    ({ consumers: 'consumer', 'Azure Event Grid': 'event-grid' })[name] ?? name;
  return [
    ...topology.queues.flatMap(({ name, from, to }) => [
      ...differ(`send to ${name}`, who(SEND, 'queue', name), [identity(from)]),
      ...differ(`receive from ${name}`, who(RECEIVE, 'queue', name), [identity(to)]),
    ]),
    ...topology.topics.flatMap(({ name, from, subscriptions }) => [
      ...differ(`send to ${name}`, who(SEND, 'topic', name), from.split(', ').map(identity)),
      ...subscriptions.flatMap((subscription) =>
        differ(
          `receive from ${name}/${subscription}`,
          who(RECEIVE, 'subscription', `${name}/${subscription}`),
          [subscription],
        ),
      ),
    ]),
  ];
}
