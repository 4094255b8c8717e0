import { access } from 'node:fs/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestAzure, type TestAzure } from './index.js';

let azure: TestAzure;

beforeAll(async () => {
  azure = await startTestAzure({
    fleet: [{ name: 'translator', location: 'westeurope', kind: 'TextTranslation' }],
  });
});

afterAll(async () => {
  await azure.stop();
});

describe('an emulated Azure for a spec', () => {
  it('has the accounts that were asked for and is trusted by its authority', async () => {
    expect(azure.control.accounts.names()).toEqual(['translator']);
    const { port } = new URL(azure.endpoints.origin);
    const socket = connect({ host: 'localhost', port: Number(port), ca: azure.ca });
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  it('leaves nothing behind', async () => {
    const other = await startTestAzure({ fleet: [] });
    await access(other.caFile);
    await other.stop();
    await expect(access(other.caFile)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
