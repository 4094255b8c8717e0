import {
  HeartbeatAnswer,
  HeartbeatRequest,
  ReceiverAcknowledged,
  ReceiverAcknowledgement,
  RegisterAnswer,
  RegisterRequest,
} from '@twinkey/contracts';
import { openApiDocument as documentOf } from '@twinkey/service';
import * as answers from './answers.js';
import { EXAMPLES } from './examples.js';
import { OPERATIONS } from './operations.js';

/** Named once under `components`, so that generators make one type of each. */
const COMPONENTS = {
  RegisterRequest,
  RegisterAnswer,
  HeartbeatRequest,
  HeartbeatAnswer,
  ReceiverAcknowledgement,
  ReceiverAcknowledged,
  SwitchView: answers.SwitchView,
  ConsumerView: answers.ConsumerView,
  WebhookView: answers.WebhookView,
  DeliveryView: answers.DeliveryView,
};

/** The HTTP API of the notifier as an OpenAPI 3.1 document. */
export function openApiDocument(): object {
  return documentOf({
    title: 'twinkey notifier',
    description:
      'Instances of consumers register, tell what they use and acknowledge; people see who has moved, and what webhooks were sent. `@twinkey/consumer` speaks it for its users. No answer holds a key.',
    operations: OPERATIONS,
    examples: EXAMPLES,
    components: COMPONENTS,
  });
}
