import { EXIT } from './exit-codes.js';
import { Failure } from './failure.js';

/** Why an agent could not be one: turned away by the notifier, or told something that cannot be. */
export function asAgentFailure(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'PermanentFault') {
    const remedy: unknown = Reflect.get(error, 'remedy');
    return new Failure(EXIT.failed, {
      what: `${error.message.replace(/\.$/, '')}.`,
      why: 'No repetition changes this.',
      state: 'The keys that are in place stay there.',
      remedy:
        typeof remedy === 'string'
          ? remedy
          : 'Look at --consumer, --account and the settings of the notifier.',
    });
  }
  if (error instanceof TypeError && error.message.startsWith('twinkey: ')) {
    return new Failure(EXIT.usage, {
      what: `${error.message.slice('twinkey: '.length).replace(/\.$/, '')}.`,
      why: 'The agent cannot begin with this.',
      state: 'Nothing was started.',
      remedy: 'See: twinkey agent --help, and the variables of @twinkey/consumer',
    });
  }
  return error;
}
