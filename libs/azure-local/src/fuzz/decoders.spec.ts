import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { AMQP_HEADER } from '../service-bus/amqp/frames.js';
import { readPerformative, TRANSFER } from '../service-bus/amqp/performatives.js';
import { AmqpMap, DecodeError, Described, Reader, type Value } from '../service-bus/amqp/reader.js';
import { parseXml, XmlError } from '../service-bus/atom/xml.js';
import { Refused } from '../service-bus/errors.js';
import { startServiceBus, type ServiceBusServer } from '../service-bus/server.js';
import { writeMessage } from '../service-bus/state/message-out.js';
import { readBatch, readMessage } from '../service-bus/state/message.js';
import { compileAction, compileFilter } from '../service-bus/state/rules/sql.js';
import { refusesOrTakes, seed, tryAll } from './attempts.js';
import { framesOf, overhear, reframed } from './conversation.js';
import { mutate } from './mutate.js';
import { administer, busTopology, converse } from './talk.js';

jest.setTimeout(1_800_000); // the long form

let server: ServiceBusServer;
let frames: Buffer[] = [];
let messages: Buffer[] = [];
let documents: Buffer[] = [];

beforeAll(async () => {
  server = await startServiceBus({ allowAnySas: true, topology: busTopology });
  const said = await overhear(server.port, converse);
  frames = said.flat().filter((unit) => unit.length > 8 && unit.readUInt8(5) === 0);
  messages = frames
    .map((frame) => readPerformative(frame.subarray(8)))
    .filter(({ code, payload }) => code === TRANSFER && payload.length > 0)
    .map(({ payload }) => payload);
  documents = (await administer(server.port)).map((text) => Buffer.from(text));
});
afterAll(() => server.close());

/** Reads a value to its end: maps are read on demand. */
function readThrough(value: Value): void {
  if (value instanceof Described) [value.descriptor, value.value].forEach(readThrough);
  else if (value instanceof AmqpMap) for (const entry of value.entries()) entry.forEach(readThrough);
  else if (Array.isArray(value)) (value as readonly Value[]).forEach(readThrough);
}

describe(`malformed input, seed ${seed}`, () => {
  it('of AMQP frames is read or refused as undecodable', async () => {
    expect(frames.length).toBeGreaterThan(30);
    const attempt: Parameters<typeof tryAll>[0]['attempt'] = (chance) => {
      const frame = chance.pick(frames);
      const bytes = chance.happens(0.5)
        ? reframed(frame, mutate(frame.subarray(8), frames, chance))
        : mutate(frame, frames, chance);
      refusesOrTakes(() => {
        for (const body of framesOf(Buffer.concat([AMQP_HEADER, bytes]))) {
          const { payload } = readPerformative(body);
          const reader = new Reader(body);
          readThrough(reader.value());
          new Reader(body).slice();
          if (payload.length > 0) readMessage(payload);
        }
      }, [DecodeError]);
    };
    await tryAll({ what: 'of AMQP frames', share: 0.4, attempt });
  });

  it('of AMQP messages is read or refused, and passed on as it was', async () => {
    expect(messages.length).toBeGreaterThan(8);
    await tryAll({
      what: 'of AMQP messages',
      share: 0.25,
      attempt: (chance) => {
        const bytes = mutate(chance.pick(messages), messages, chance);
        refusesOrTakes(() => {
          const message = readMessage(bytes);
          const again = readMessage(writeMessage(message, 1, {}));
          if (!again.bare.equals(message.bare)) throw new Error('the message was changed on its way');
        }, [DecodeError]);
        refusesOrTakes(() => readBatch(bytes), [DecodeError]);
      },
    });
  });

  it('of XML documents is read or refused as such', async () => {
    expect(documents.length).toBeGreaterThan(5);
    await tryAll({
      what: 'of XML documents',
      share: 0.1,
      attempt: (chance) => {
        const text = mutate(chance.pick(documents), documents, chance).toString(
          chance.pick(['utf8', 'latin1']),
        );
        refusesOrTakes(() => parseXml(text), [XmlError]);
      },
    });
  });

  it('of SQL in rules is understood or refused', async () => {
    const filters = [
      "legs >= 2 AND (colour = 'grey' OR sys.Label LIKE 'a%' ESCAPE '!')",
      'EXISTS(name) AND NOT (a IS NULL) AND b IN (1, 2.5, TRUE, @p)',
      '(legs + 1) * 2 / 3 % 4 <> -5 AND user.x != 0x10',
    ].map((text) => Buffer.from(text));
    const actions = ["SET sys.Label = 'x'; SET legs = legs * 2; REMOVE [other name]"].map((text) =>
      Buffer.from(text),
    );
    await tryAll({
      what: 'of SQL in rules',
      share: 0.05,
      attempt: (chance) => {
        const filter = mutate(chance.pick(filters), [...filters, ...actions], chance).toString();
        refusesOrTakes(() => compileFilter(filter, { '@p': 1 }), [Refused]);
        const action = mutate(chance.pick(actions), [...filters, ...actions], chance).toString();
        refusesOrTakes(() => compileAction(action, undefined), [Refused]);
      },
    });
  });
});
