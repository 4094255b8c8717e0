// Messages that nobody can handle lie in front of every receiver; a dead letter is replayed twice, because whoever
// replayed it died in between or because a person did it again. Rotations go on, and nothing happens twice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RotationCommand, topology } from '@twinkey/contracts';
import { waitUntil } from '@twinkey/dev';
import { Ground, type Newest } from './ground.js';

const { queues, topics } = topology({ shards: 2 });
const entities = [
  ...queues.map(({ name }) => name),
  ...topics.flatMap(({ name, subscriptions }) => subscriptions.map((one) => `${name}/${one}`)),
].sort();

let ground: Ground;
let bus: ServiceBusClient;

beforeAll(async () => {
  ground = await Ground.start({ accounts: ['one', 'two'] });
  const env = parseEnv(readFileSync(join(ground.fleet.folder, 'azure.env'), 'utf8'));
  bus = new ServiceBusClient(env['SERVICEBUS_CONNECTION_STRING'] ?? '');
});
afterAll(async () => {
  await bus.close();
  await ground.stop();
});

const nothingToFind = async () => {
  expect(await ground.fleet.findings()).toEqual([]);
};

interface Letter {
  readonly entity: string;
  readonly sequenceNumber: string;
  readonly id: string;
  readonly reason: string | null;
  readonly description: string | null;
}

async function deadLetters(): Promise<readonly Letter[]> {
  const answer = await fetch(`${ground.fleet.stack.url('console')}/v1/dead-letters`);
  return ((await answer.json()) as { deadLetters: readonly Letter[] }).deadLetters;
}

describe('messages that nobody can read, in every queue and every topic', () => {
  const poison = { text: 'not a message at all', empty: {}, wrong: { specversion: '1.0', type: 'explode' } };

  it('are dead letters with a reason, and rotations complete all the same', async () => {
    ground.fleet.recorder.note('poison everywhere');
    for (const { name } of [...queues, ...topics]) {
      const sender = bus.createSender(name);
      for (const [kind, body] of Object.entries(poison))
        await sender.sendMessages({ messageId: `${kind}-${name}`, body });
      await sender.close();
    }
    await ground.untilAll('completed', await ground.askForAll('behind poison'));
    const kinds = Object.keys(poison).length;
    let letters: readonly Letter[] = [];
    await waitUntil(
      'all of it is put away',
      async () => (letters = await deadLetters()).length >= kinds * entities.length,
      { withinMs: 60_000, everyMs: 500 },
    );
    const of = (entity: string) => letters.filter((letter) => letter.entity === entity);
    expect(entities.map((entity) => [entity, of(entity).length])).toEqual(
      entities.map((entity) => [entity, kinds]),
    );
    for (const { reason, description } of letters) {
      expect(reason).toMatch(/^(UnreadableMessage|NoHandler)$/);
      expect(description).toMatch(/\w+/);
    }
    await nothingToFind();
  });
});

describe('a dead letter that is replayed twice', () => {
  let letter: Letter;
  let body: unknown;
  let before: Newest;

  /** A person's request, which lands among the dead letters because no rotator is there and somebody puts it there. */
  beforeAll(async () => {
    const { stack } = ground.fleet;
    await stack.service('rotator').kill();
    const receiver = bus.createReceiver(RotationCommand.entity);
    before = await ground.askForAll('will be replayed', ['one']);
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 30_000 });
    if (message === undefined) throw new Error('the request was sent');
    body = message.body as unknown;
    await receiver.deadLetterMessage(message, {
      deadLetterReason: 'PutAside',
      deadLetterErrorDescription: 'By a person.',
    });
    await receiver.close();
    stack.service('rotator').start();
    await stack.ready(['rotator']);
    const found = (await deadLetters()).find(({ reason }) => reason === 'PutAside');
    if (found === undefined) throw new Error('it lies among the dead letters');
    letter = found;
  });

  const replay = () =>
    fetch(`${ground.fleet.stack.url('console')}/v1/dead-letters/replay`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ entity: letter.entity, sequenceNumbers: [letter.sequenceNumber], by: 'e2e' }),
    });

  const rotationsOfOne = async () =>
    (await ground.fleet.client.rotations()).filter(({ account }) => account === 'one').length;

  it('because the console died between sending and removing it, starts one rotation', async () => {
    // The console shows what was asked for from the moment on at which it was asked.
    const count = await rotationsOfOne();
    const order = ground.deaths.order('console', 'bus:send:after');
    await replay().catch(() => undefined); // it dies over it
    await waitUntil('the console dies', () => ground.deaths.diedAt('console', order) !== undefined, {
      withinMs: 30_000,
    });
    ground.deaths.revoke('console');
    await ground.fleet.stack.ready(['console']);
    await ground.untilAll('completed', before);
    // What it had locked comes back.
    await waitUntil(
      'it is replayed again',
      async () => /"outcome":"replayed"/.test(await (await replay()).text()),
      { withinMs: 60_000, everyMs: 500 },
    );
    expect((await deadLetters()).filter(({ reason }) => reason === 'PutAside')).toEqual([]);
    await ground.untilAll('completed', await ground.askForAll('behind the second replay'));
    expect(await rotationsOfOne()).toBe(count + 1);
    await nothingToFind();
  });

  it('or sent a third time under a name that the broker does not know, starts none', async () => {
    const count = await rotationsOfOne();
    const sender = bus.createSender(RotationCommand.entity);
    await sender.sendMessages({ messageId: 'once more', body });
    await sender.close();
    await ground.untilAll('completed', await ground.askForAll('behind the third'));
    expect(await rotationsOfOne()).toBe(count + 1);
    await nothingToFind();
  });
});
