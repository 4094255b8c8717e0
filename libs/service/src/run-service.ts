import { isPermanentFault } from '@twinkey/contracts';
import { ConfigurationError } from '@twinkey/settings';
import { redact } from './redact.js';
import type { ServiceDefinition } from './service.js';
import { startService, type RunningService } from './start-service.js';
import type { VariableName } from '@twinkey/settings';

/**
 * Runs a service until SIGTERM or SIGINT; the whole of a service's `main.ts`. Ends the process with 0 after an
 * orderly stop and with 1 otherwise: wrong configuration (told on standard error, all of it at once), a defect, or
 * a stop that took too long.
 */
export async function runService<Names extends VariableName>(
  definition: ServiceDefinition<Names>,
): Promise<void> {
  let running: RunningService;
  try {
    running = await startService(definition, { environment: process.env });
  } catch (error) {
    end(1, sentenceOf(error));
  }
  const { log } = running;

  // A promise that nobody looks after is a defect: what it left half-done is safe in the database, and a fresh
  // process takes it up from there.
  const onDefect = (error: unknown) => {
    log.error({ err: error }, 'The service has a defect and ends');
    process.exit(1);
  };
  process.on('unhandledRejection', onDefect);
  process.on('uncaughtException', onDefect);

  const onSignal = () => {
    running.stop().then((clean) => process.exit(clean ? 0 : 1), onDefect);
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);

  try {
    await running.ready;
  } catch (error) {
    log.error({ err: error }, `The service cannot start: ${sentenceOf(error)}`);
    await running.stop();
    end(1);
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message; // shows examples, and never a secret that was given
  if (isPermanentFault(error)) {
    const { message, remedy } = error;
    return redact(remedy === undefined || message.includes(remedy) ? message : `${message} ${remedy}`);
  }
  return redact(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

function end(code: number, words?: string): never {
  if (words !== undefined) process.stderr.write(`${words}\n`);
  process.exit(code);
}
