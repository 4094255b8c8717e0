import { invalidArgument } from '../errors.js';
import type { Message } from '../state/message.js';
import type { Grants } from './grants.js';
import { OK, type Reply } from './replies.js';

/** `$cbs`: a client presents a token for an entity before it attaches there. Throws `Refused`. */
export async function putToken(request: Message, grants: Grants): Promise<Reply> {
  await grants.put(tokenOf(request));
  return OK;
}

function tokenOf(request: Message): { kind: 'sas' | 'jwt'; text: string; audience: string } {
  const properties = request.applicationProperties;
  const audience = properties.get('name');
  const type = properties.get('type');
  const text = request.body;
  if (properties.get('operation') !== 'put-token') throw invalidArgument('$cbs knows only put-token');
  if (typeof audience !== 'string' || typeof type !== 'string' || typeof text !== 'string')
    throw invalidArgument('put-token needs a name, a type and the token as text');
  return { kind: type === 'jwt' ? 'jwt' : 'sas', text, audience };
}
