import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BareClient, errorOf, messageOf } from '../testing/bare-client.js';
import { CLOSE } from './amqp/performatives.js';
import { FileJournal } from './journal/file-journal.js';
import { startServiceBus } from './server.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe('a namespace whose journal has broken', () => {
  it('sends its clients away, and takes no new ones', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bus-'));
    folders.push(folder);
    const restore = jest.spyOn(FileJournal.prototype, 'restore');
    const server = await startServiceBus({
      allowAnySas: true,
      dataDir: folder,
      topology: { UserConfig: { Namespaces: [{ Queues: [{ Name: 'orders' }] }] } },
    });
    const { client } = await BareClient.dial(server.port, { plain: ['any', 'any'] });
    await client.begin();
    await client.attach({ handle: 0, role: 'sender', target: 'orders' });
    // Through this one the file can only be read.
    const [journal] = restore.mock.contexts as unknown as { fd: number }[];
    if (journal === undefined) throw new Error('no journal');
    journal.fd = openSync(join(folder, 'journal.log'), 'r');
    restore.mockRestore();
    client.transfer(0, 0, messageOf({}));
    const { fields } = await client.next(CLOSE);
    expect(errorOf(fields.described(0))).toMatchObject({ condition: 'amqp:internal-error' });
    await expect(BareClient.dial(server.port)).rejects.toThrow('hung up');
    const answer = await fetch(`http://127.0.0.1:${server.port}/orders`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('cannot write down')]);
    await server.close();
  });
});
