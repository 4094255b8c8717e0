import { testDatabase } from '@twinkey/testing';
import { Server } from './database.js';
import { makeTables } from './tables.js';
import { World } from './world.js';

const from = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1);
const calm = process.argv[4] === 'calm';
const db = await testDatabase({ prepare: makeTables });
const server = new Server(db.url);
for (let seed = from; seed < from + count; seed += 1) {
  const t = performance.now();
  const cpu = process.cpuUsage();
  const world = new World({ seed, server, ...(calm ? { only: [] } : {}) });
  const out = await world.run();
  const used = process.cpuUsage(cpu);
  console.log(seed, out.verdict ?? 'ok', out.digest, `wall ${(performance.now() - t).toFixed(0)} cpu ${((used.user+used.system)/1000).toFixed(0)} queries ${out.queries} events ${out.events} virtual ${(out.virtualMs / 60000).toFixed(1)} min completed ${out.completed}`, JSON.stringify(out.tally));
  if (out.verdict !== null || count === 1) console.log(out.story.join('\n'));
}
await server.close();
await db.drop();
