// Ends the shared test cluster when no test process is left to use it. A process of its own, because test workers
// end by signals and never get to say goodbye; plain JavaScript, because jest runs from sources and node could not
// run those. Arguments: the folder of the cluster, and how long nobody may be there before it ends.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const [home, lingerMs = '30000'] = process.argv.slice(2);
const pollMs = 250;

const runs = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
};
const users = (folder) => readdirSync(path.join(folder, 'users')).map(Number).filter(runs);
const read = (...names) => {
  try {
    return readFileSync(path.join(...names), 'utf8');
  } catch {
    return ''; // not there (any more)
  }
};

const badge = path.join(home, 'keeper.pid');
const onDuty = Number(read(badge));
if (onDuty && runs(onDuty)) process.exit(0);
writeFileSync(badge, String(process.pid));

for (let alone = Date.now(); ; await delay(pollMs)) {
  if (Number(read(badge)) !== process.pid) process.exit(0); // another one took over, or all is gone
  if (users(home).length > 0) alone = Date.now();
  if (Date.now() - alone < Number(lingerMs)) continue;

  // Out of sight first: whoever comes from here on finds nothing and starts anew.
  const leaving = `${home}.leaving-${process.pid}`;
  renameSync(home, leaving);
  if (users(leaving).length > 0) {
    renameSync(leaving, home); // someone came in that very moment
    continue;
  }
  const postmaster = () => Number(read(leaving, 'cluster', 'data', 'postmaster.pid').split('\n')[0]);
  const server = postmaster();
  if (server && runs(server)) process.kill(server, 'SIGINT');
  for (let waits = 0; postmaster() && runs(server) && waits < 80; waits++) await delay(pollMs / 2);
  rmSync(leaving, { recursive: true, force: true });
  process.exit(0);
}
