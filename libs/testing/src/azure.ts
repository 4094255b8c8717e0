import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AzureLocal, StartOptions } from '@twinkey/azure-local';

export interface TestAzure extends AzureLocal {
  /** Closes it and removes its folder. */
  stop(): Promise<void>;
}

/**
 * An emulated Azure in this process, in a folder of its own. Clients in the same process trust it by
 * `tlsOptions: { ca: azure.ca }`: NODE_EXTRA_CA_CERTS is read when a process starts, so only children that are given
 * `azure.environment()` can use that.
 */
export async function startTestAzure(options: Omit<StartOptions, 'dataDir'> = {}): Promise<TestAzure> {
  const { start } = await import('@twinkey/azure-local'); // specs that need a database only do not load it
  const dataDir = await mkdtemp(path.join(tmpdir(), 'test-azure-'));
  const remove = () => rm(dataDir, { recursive: true, force: true });
  try {
    const azure = await start({ ...options, dataDir });
    return {
      ...azure,
      stop: async () => {
        await azure.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
