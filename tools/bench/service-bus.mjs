// What the embedded Service Bus does through the real SDK: wall time, and beside it counts and processor time per
// message of either side, which depend less on what else the machine does: rates on a busy machine tell of the machine,
// so the load is told with them. `--messages N` (default 20,000), `-o json`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';

const server = fileURLToPath(new URL('service-bus-server.mjs', import.meta.url));
const body = { account: 'speech-weu', generation: 7, text: 'x'.repeat(200) };

const BATCH = 500;

/** Runs `work` and answers its wall time and the processor time of both sides, in microseconds. */
async function measured(child, work) {
  const usage = async () => {
    child.send('usage');
    return (await once(child, 'message'))[0].microseconds;
  };
  const before = await usage();
  const own = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(own);
  return { wallMs, clientCpu: user + system, serverCpu: (await usage()) - before };
}

function row(name, mode, messages, { wallMs, clientCpu, serverCpu }, more = {}) {
  return {
    name,
    mode,
    messages,
    perSecond: Math.round((messages / wallMs) * 1000),
    clientMicrosecondsPerMessage: round(clientCpu / messages),
    serverMicrosecondsPerMessage: round(serverCpu / messages),
    serverToClient: round(serverCpu / clientCpu),
    load: round(loadavg()[0]),
    ...more,
  };
}

const round = (value) => Math.round(value * 100) / 100;
const quantile = (sorted, q) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]);

async function sendOneAtATime(sender, count) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    await sender.sendMessages({ body });
    times.push(performance.now() - startedAt);
  }
  return times.sort((a, b) => a - b);
}

async function sendInFlight(sender, count, inFlight) {
  let left = count;
  const one = async () => {
    while (left-- > 0) await sender.sendMessages({ body });
  };
  await Promise.all(Array.from({ length: inFlight }, one));
}

async function fill(sender, count) {
  for (let left = count; left > 0; left -= BATCH)
    await sender.sendMessages(Array.from({ length: Math.min(left, BATCH) }, () => ({ body })));
}

/** As a service would that handles each message when it comes. */
async function receiveSubscribed(receiver, count) {
  let completed = 0;
  await new Promise((resolve, reject) => {
    receiver.subscribe(
      {
        processMessage: async (message) => {
          await receiver.completeMessage(message);
          if (++completed === count) resolve();
        },
        processError: async ({ error }) => reject(error),
      },
      { autoCompleteMessages: false, maxConcurrentCalls: 64 },
    );
  });
}

/**
 * As whoever has much to work off would: the next messages are fetched while the last ones are completed. The SDK spends
 * about a fifth less on each than in a subscription, which has a lock renewer and a trace for every message.
 */
async function receiveInBatches(receiver, count) {
  let completing = Promise.resolve();
  for (let left = count; left > 0;) {
    const messages = await receiver.receiveMessages(Math.min(left, BATCH));
    left -= messages.length;
    await completing;
    completing = Promise.all(messages.map((message) => receiver.completeMessage(message)));
  }
  await completing;
}

async function bench(mode, count) {
  const dataDir = mode === 'durable' ? mkdtempSync(join(tmpdir(), 'bench-bus-')) : undefined;
  const child = fork(server, dataDir === undefined ? [] : [dataDir]);
  const [{ port }] = await once(child, 'message');
  const access = 'SharedAccessKeyName=bench;SharedAccessKey=bench;UseDevelopmentEmulator=true';
  const client = new ServiceBusClient(`Endpoint=sb://127.0.0.1:${port};${access}`);
  const sender = client.createSender('work');
  const receiving = async (way, messages) => {
    const receiver = client.createReceiver('work');
    await way(receiver, messages);
    await receiver.close();
  };
  try {
    const few = Math.min(2_000, Math.ceil(count / 10));
    // Warm, so that no compiler is counted. Each receives all there is: what is left over at the end of a subscription
    // stays locked for a minute.
    await sendOneAtATime(sender, few);
    await receiving(receiveSubscribed, few);
    await sendInFlight(sender, few, 64);
    await receiving(receiveInBatches, few);
    let times = [];
    const single = await measured(child, async () => (times = await sendOneAtATime(sender, few)));
    const inFlight = await measured(child, () => sendInFlight(sender, count, 64));
    const subscribed = await measured(child, () => receiving(receiveSubscribed, few + count));
    await fill(sender, count);
    const batches = await measured(child, () => receiving(receiveInBatches, count));
    return [
      row('send, one at a time', mode, few, single, {
        p50Ms: quantile(times, 0.5),
        p99Ms: quantile(times, 0.99),
      }),
      row('send, 64 in flight', mode, count, inFlight),
      row('receive and complete, in batches of 500', mode, count, batches),
      row('receive and complete, subscribed for 64', mode, few + count, subscribed),
    ];
  } finally {
    await client.close();
    child.disconnect();
    await once(child, 'exit');
    if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    output: { type: 'string', short: 'o', default: 'table' },
  },
});
const messages = Number(values.messages);
if (!Number.isInteger(messages) || messages < 1) {
  console.error(`--messages ${values.messages}: a whole number of messages, 1 or more.`);
  process.exit(2);
}
const rows = [...(await bench('memory', messages)), ...(await bench('durable', messages))];
if (values.output === 'json') console.log(JSON.stringify(rows));
else console.table(rows);
