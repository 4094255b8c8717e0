import { openApiDocument as documentOf } from '@twinkey/service';
import * as answers from './answers.js';
import { EXAMPLES } from './examples.js';
import { OPERATIONS } from './operations.js';

/** Named once under `components`, so that generators make one type of each. */
const COMPONENTS = {
  StatusView: answers.StatusView,
  AccountView: answers.AccountView,
  AccountDetail: answers.AccountDetail,
  RotationView: answers.RotationView,
  RotationDetail: answers.RotationDetail,
  ExplanationView: answers.ExplanationView,
  EventView: answers.EventView,
  Asked: answers.Asked,
  ConsumerSummary: answers.ConsumerSummary,
  KeylessView: answers.KeylessView,
  CommandView: answers.CommandView,
  DeadLetterView: answers.DeadLetterView,
  DeadLettersReplayed: answers.DeadLettersReplayed,
};

/** The API of the console as an OpenAPI 3.1 document. */
export function openApiDocument(): object {
  return documentOf({
    title: 'twinkey console',
    description:
      'Accounts under care, their rotations, and what a person may ask for. No answer holds a key.',
    operations: OPERATIONS,
    examples: EXAMPLES,
    components: COMPONENTS,
  });
}
