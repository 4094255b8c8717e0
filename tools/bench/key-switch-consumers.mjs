// Instances of a consumer in one process. Says when all of them are registered and listen; an instance of its own process
// each would be truer, and a thousand processes do not fit on the machine of a developer.
//
// `library`: the whole library, as an application has it. `channel`: the library's own way over the bus, with a connection
// and a voice of its own each, and without the reading of Key Vault: a thousand readings at once from two processes
// are a measurement of TLS handshakes.
import { randomUUID } from 'node:crypto';
import { serviceBusChannel } from '../../libs/consumer/dist/channel.js';
import { connect } from '../../libs/consumer/dist/index.js';
import { notifierClient } from '../../libs/consumer/dist/notifier-client.js';
import { newVoice } from '../../libs/consumer/dist/voice.js';

const { kind, consumer, account, instances, connectionString } = JSON.parse(process.argv[2]);

/** How many connect at once: more only wait in longer lines, until their time to start is over. */
const AT_ONCE = 10;
const notifier = notifierClient(process.env.TWINKEY_NOTIFIER_URL);
let failed = 0;

const ways = {
  library: (name) =>
    connect({
      consumer,
      accounts: [account],
      name,
      serviceBus: { connectionString },
      listeners: { error: () => (failed += 1) },
    }),
  channel: async (name) => {
    const channel = serviceBusChannel({ connectionString }, undefined, newVoice());
    const boot = randomUUID();
    const { instance, subscriptions } = await notifier.register({
      consumer,
      name,
      boot,
      accounts: [account],
      channel: 'service-bus',
      voice: channel.voice,
    });
    await channel.listen(subscriptions, ({ account: id, generation }) => {
      const said = { account: id, consumer, instance, boot, generation, at: new Date().toISOString() };
      channel.acknowledge(said).catch(() => (failed += 1));
    });
    return channel;
  },
};

let started = 0;
const listening = [];
const startSome = async () => {
  while (started < instances) {
    started += 1;
    listening.push(await ways[kind](`${consumer}-${started}`));
  }
};
await Promise.all(Array.from({ length: Math.min(AT_ONCE, instances) }, startSome));
process.send('listening');
process.once('disconnect', () => {
  if (failed > 0) console.error(`${consumer}: ${failed} readings or acknowledgements failed`);
  process.exit(0);
});
