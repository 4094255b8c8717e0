import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Broker } from '../state/broker.js';
import { brokerAlone, idsIn, messageWith } from '../../testing/broker-alone.js';
import { FileJournal } from './file-journal.js';
import { appendFrame } from './frames.js';

let folder = '';
let file = '';
const logged: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
  file = join(folder, 'journal.log');
  logged.length = 0;
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(rewriteFromBytes = 1e9) {
  const journal = new FileJournal(folder, (_level, message) => logged.push(message), rewriteFromBytes);
  const alone = brokerAlone((change) => {
    journal.note(change);
  });
  journal.restore(alone.broker, 0);
  return { journal, ...alone };
}

/** A journal with a frame for the queue and one for each message; where each begins. */
async function written(ids: readonly string[]): Promise<number[]> {
  const { journal, broker, send } = open();
  broker.createQueue('q', {}, 0);
  journal.write();
  const starts: number[] = [];
  for (const id of ids) {
    starts.push(journal.bytes);
    send('q', messageWith(id, { bytes: 500 }), 0);
    journal.write();
  }
  await journal.close();
  return starts;
}

const ids = (broker: Broker) => broker.stores().flatMap((queue) => idsIn(queue));

function flip(at: number): Buffer {
  const bytes = readFileSync(file);
  bytes.writeUInt8((bytes[at] ?? 0) ^ 0xff, at);
  writeFileSync(file, bytes);
  return bytes;
}

describe('a journal that is damaged in the middle', () => {
  it.each([
    ['its content', 60],
    ['its checksum', 5],
    ['its length', 0],
    ['its length, a little', 3],
  ])('is refused and left as it is when a frame has lost %s', async (_what, within) => {
    const [, second = 0] = await written(['a', 'b', 'c', 'd']);
    const bytes = flip(second + within);
    expect(() => open()).toThrow(new RegExp(`journal\\.log is damaged at offset ${second}.*cut a copy off`));
    expect(readFileSync(file).equals(bytes)).toBe(true);
    // The folder is free again for whoever repairs it.
    writeFileSync(file, bytes.subarray(0, second));
    const { journal, broker } = open();
    expect(ids(broker)).toEqual(['a']);
    await journal.close();
  });

  it('names the place when a record means nothing', async () => {
    const { journal, broker } = open();
    broker.createQueue('q', {}, 0);
    await journal.close();
    const fd = openSync(file, 'r+');
    // A list of one number: a kind of record that nobody knows.
    appendFrame(fd, Buffer.from([0xd0, 0, 0, 0, 6, 0, 0, 0, 1, 0x52, 99]), statSync(file).size);
    closeSync(fd);
    expect(() => open()).toThrow('a record of a kind that is not known');
  });
});

describe('a journal that ends in a torn frame', () => {
  it.each([1, 5, 9, 200])('goes on without its last %s bytes, and keeps a copy of them', async (missing) => {
    await written(['a', 'b']);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, bytes.length - missing));
    const first = open();
    expect(ids(first.broker)).toEqual(['a']);
    expect(logged.join()).toContain('not completely written');
    expect(statSync(`${file}.torn`).size).toBeGreaterThan(0);
    first.send('q', messageWith('c'), 0);
    await first.journal.close();
    const second = open();
    expect(ids(second.broker)).toEqual(['a', 'c']);
    await second.journal.close();
  });

  it('goes on when the last frame was not written right', async () => {
    const [, second = 0] = await written(['a', 'b']);
    flip(second + 60);
    const { journal, broker } = open();
    expect(ids(broker)).toEqual(['a']);
    await journal.close();
  });
});

describe('a journal that cannot be shortened', () => {
  it('is used on, loses nothing, and is shortened later', async () => {
    const { journal, broker, send } = open(20_000);
    broker.createQueue('q', {}, 0);
    // A folder of that name stands for a disk that is full.
    mkdirSync(`${file}.next`);
    writeFileSync(join(`${file}.next`, 'x'), '');
    const queue = broker.stores()[0];
    for (let n = 0; n < 60; n++) {
      send('q', messageWith(`m${n}`, { bytes: 500 }), 0);
      journal.write();
      if (n >= 3) queue?.take(0, true);
    }
    expect(logged).toContain('The journal could not be shortened; it is used as it is');
    expect(journal.isBroken).toBe(false);
    const longest = journal.bytes;
    expect(longest).toBeGreaterThan(20_000);
    rmSync(`${file}.next`, { recursive: true });
    for (let n = 60; n < 120; n++) {
      send('q', messageWith(`m${n}`, { bytes: 500 }), 0);
      journal.write();
      queue?.take(0, true);
    }
    expect(journal.bytes).toBeLessThan(longest);
    const expected = ids(broker);
    await journal.close();
    const again = open();
    expect(ids(again.broker)).toEqual(expected);
    await again.journal.close();
    expect(existsSync(`${file}.next`)).toBe(false);
  });
});

describe('a journal that cannot be written', () => {
  it('tells so once, confirms nothing more and keeps nothing that waits', async () => {
    const { journal, broker, send } = open();
    broker.createQueue('q', {}, 0);
    journal.write();
    const reasons: string[] = [];
    journal.onBroken = (reason) => reasons.push(reason);
    // Through this one the file can only be read.
    (journal as unknown as { fd: number }).fd = openSync(file, 'r');
    let confirmed = false;
    for (let n = 0; n < 3; n++) {
      send('q', messageWith(`m${n}`), 0);
      journal.whenDurable(() => {
        confirmed = true;
      });
      journal.write();
    }
    expect(reasons).toHaveLength(1);
    expect(journal.isBroken).toBe(true);
    expect((journal as unknown as { waiting: unknown[] }).waiting).toEqual([]);
    await journal.close();
    expect(confirmed).toBe(false);
  });
});
