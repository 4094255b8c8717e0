import { Server, Socket } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { startServiceBus } from '@twinkey/azure-local';
import { emulatorConfig, topology } from '@twinkey/contracts';
import { connectBus } from './connection.js';

afterEach(() => {
  jest.restoreAllMocks();
});

/** Both ends have it, or a message to one consumer takes 44 ms: the other end waits with its answer as well. */
describe('a connection to the bus', () => {
  it('sends small messages at once instead of waiting for the peer to acknowledge the last one', async () => {
    const listen = jest.spyOn(Server.prototype, 'listen');
    const topologyOfTest = emulatorConfig(topology({ shards: 1 })) as Parameters<
      typeof startServiceBus
    >[0]['topology'];
    const server = await startServiceBus({
      allowAnySas: true,
      ...(topologyOfTest && { topology: topologyOfTest }),
    });
    const setNoDelay = jest.spyOn(Socket.prototype, 'setNoDelay');
    const bus = connectBus({
      connectionString: `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=root;SharedAccessKey=secret;UseDevelopmentEmulator=true`,
    });
    try {
      await bus.send('rotation-due', [{ id: 'm-1', body: {} }]);
      const toServer = setNoDelay.mock.contexts.filter(
        (socket) => (socket as Socket).remotePort === server.port,
      );
      expect(toServer).toHaveLength(1);
      const atClient = setNoDelay.mock.calls.filter((_, index) =>
        toServer.includes(setNoDelay.mock.contexts[index]),
      );
      expect(atClient).toEqual([[true]]);
      // Node turns it on in each socket that such a server accepts, without calling what could be watched.
      const servers = listen.mock.contexts as readonly (Server & { readonly noDelay?: boolean })[];
      expect(servers.map(({ noDelay }) => noDelay)).toEqual([true]);
    } finally {
      await bus.close();
      await server.close();
    }
  });
});
