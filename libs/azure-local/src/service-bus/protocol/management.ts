import type { Need } from '../authorization.js';
import { AmqpMap, textOf } from '../amqp/reader.js';
import { notImplemented } from '../errors.js';
import type { Message } from '../state/message.js';
import {
  batchDelete,
  cancelScheduled,
  peekMessage,
  receiveBySequenceNumber,
  renewLock,
  scheduleMessage,
  updateDisposition,
} from './management-messages.js';
import { addRule, enumerateRules, removeRule } from './management-rules.js';
import {
  getMessageSessions,
  getSessionState,
  renewSessionLock,
  setSessionState,
} from './management-sessions.js';
import type { Reply } from './replies.js';
import { checkReceivable, type Request } from './request.js';

interface Operation {
  readonly run: (request: Request) => Reply;
  /** One of these rights on the entity. */
  readonly needs: readonly Need[];
  /** Takes messages out of the entity, or decides about those that were taken. */
  readonly receives?: true;
}

const receiving = (run: Operation['run']): Operation => ({ run, needs: ['Listen'], receives: true });
const sending = (run: Operation['run']): Operation => ({ run, needs: ['Send'] });
/** The rule managers of the SDKs promise to need no more than Listen. */
const ruling = (run: Operation['run']): Operation => ({ run, needs: ['Listen', 'Manage'] });

const operations: Readonly<Record<string, Operation>> = {
  'renew-lock': receiving(renewLock),
  'peek-message': receiving(peekMessage),
  'receive-by-sequence-number': receiving(receiveBySequenceNumber),
  'update-disposition': receiving(updateDisposition),
  'batch-delete-messages': receiving(batchDelete),
  'renew-session-lock': receiving(renewSessionLock),
  'get-session-state': receiving(getSessionState),
  'set-session-state': receiving(setSessionState),
  'get-message-sessions': receiving(getMessageSessions),
  'schedule-message': sending(scheduleMessage),
  'cancel-scheduled-message': sending(cancelScheduled),
  'add-rule': ruling(addRule),
  'remove-rule': ruling(removeRule),
  'enumerate-rules': ruling(enumerateRules),
};

function operationOf(message: Message): Operation {
  const name = textOf(message.applicationProperties.get('operation'));
  const short = name.replace(/^com\.microsoft:/, '');
  const operation = Object.hasOwn(operations, short) ? operations[short] : undefined;
  if (operation === undefined) throw notImplemented(name);
  return operation;
}

/** The rights, one of which a request needs. Throws `Refused` when nobody knows what it asks for. */
export function needsOf(message: Message): readonly Need[] {
  return operationOf(message).needs;
}

/** Carries out a request to `<entity>/$management`. Throws `Refused`; then nothing has happened. */
export function manage(message: Message, at: Omit<Request, 'body' | 'now'>, now: number): Reply {
  const { run, receives } = operationOf(message);
  if (receives) checkReceivable(at.entity, at.address);
  const { body } = message;
  return run({ ...at, now, body: body instanceof AmqpMap ? body : new AmqpMap(Buffer.alloc(0), 0) });
}
