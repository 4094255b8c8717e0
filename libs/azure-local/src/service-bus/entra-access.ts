import type { Directory } from '../entra/state.js';
import type { Tokens } from '../entra/tokens.js';

/** A token that a Service Bus client presented, for an entity's path and what it wants to do there. */
export interface PresentedForBus {
  readonly kind: 'sas' | 'jwt';
  readonly text: string;
  readonly entity: string;
  readonly need: 'Send' | 'Listen' | 'Manage';
}

const actions = { Send: 'messages/send', Listen: 'messages/receive', Manage: 'manage' } as const;

/** Judges Entra tokens for Service Bus: signature, audience, and the data role on the entity or above it. */
export function serviceBusAccess(directory: Directory, tokens: Tokens, namespace: string) {
  const namespaceId = `/subscriptions/${directory.subscriptionId}/resourceGroups/rg-messaging/providers/Microsoft.ServiceBus/namespaces/${namespace}`;
  return async ({ kind, text, entity, need }: PresentedForBus) => {
    if (kind === 'sas') return { refused: 'The signature is by no key of this namespace' };
    const who = await tokens.judge(text, ['https://servicebus.azure.net']);
    if ('refused' in who) return { refused: `The token is ${who.refused}` };
    const dataAction = `Microsoft.ServiceBus/namespaces/${actions[need]}/action`;
    const { clientId } = who.principal;
    if (scopesOf(namespaceId, entity).some((scope) => directory.permits(clientId, { dataAction, scope }))) {
      return { expiresAt: who.expiresAt };
    }
    return { refused: `Unauthorized access. '${need}' claim(s) are required on '${entity}' for ${clientId}` };
  };
}

/** The path does not tell a queue from a topic; a role on either is meant for this entity. */
function scopesOf(namespaceId: string, entity: string): readonly string[] {
  const [name, sub, subscription] = entity.split('/').filter((part) => part !== '' && !part.startsWith('$'));
  if (name === undefined) return [namespaceId];
  const topic = `${namespaceId}/topics/${name}`;
  const isSubscription = sub?.toLowerCase() === 'subscriptions' && subscription !== undefined;
  return isSubscription
    ? [`${topic}/subscriptions/${subscription}`]
    : [`${namespaceId}/queues/${name}`, topic];
}
