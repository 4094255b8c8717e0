// A consumer as an application would be one: some instances that call their accounts all the time.
import { Instance } from './instance.js';
import { readTask, type Task } from './task.js';

const TELL_EVERY_MS = 1000;

function taskOrExit(): Task {
  try {
    return readTask(process.argv[2] ?? process.env['CONSUMER_TASK']);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

const task = taskOrExit();
const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stopping.abort();
  });
}

const instances = Array.from(
  { length: task.instances },
  (_, index) => new Instance(`${task.consumer}-${index + 1}`, task),
);

/** One line per instance, on stdout and to a parent that listens. */
function tell(): void {
  const at = new Date().toISOString();
  for (const instance of instances) {
    const line = { at, instance: instance.name, ...instance.counters, generations: instance.generations() };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    process.send?.(line);
  }
}

const telling = setInterval(tell, TELL_EVERY_MS);
await Promise.all(
  instances.map(async (instance) => {
    try {
      await instance.run(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      console.error(`${instance.name}: ${String(error)}`);
      process.exitCode = 1;
      stopping.abort(); // half a consumer helps nobody
    }
  }),
);
clearInterval(telling);
tell();
if (process.connected) process.disconnect();
