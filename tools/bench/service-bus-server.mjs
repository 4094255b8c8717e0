// The server under measurement, in a process of its own so that its processor time is its own. Answers `usage` with
// what it has used since it started.
import { startServiceBus } from '../../libs/azure-local/dist/index.js';

const [dataDir] = process.argv.slice(2);
const server = await startServiceBus({
  port: 0,
  allowAnySas: true,
  ...(dataDir === undefined ? {} : { dataDir }),
  topology: { UserConfig: { Namespaces: [{ Name: 'bench', Queues: [{ Name: 'work' }], Topics: [] }] } },
});
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ microseconds: user + system, rss: process.memoryUsage().rss });
});
process.once('disconnect', () => process.exit(0));
process.send({ port: server.port });
