// `npm run demo`: the main job once, in a folder of its own. Exits 0 only if every rotation completed, every old
// key is dead and no consumer call was refused; the last line is JSON with the figures.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LiveView } from './live-view.js';
import { startFleet, watchFleet, type FleetReport } from './rotate-fleet.js';
import { summary } from './summary.js';

const WITHIN_MS = 5 * 60_000;

const folder = mkdtempSync(join(tmpdir(), 'twinkey-demo-'));
console.log('Starting PostgreSQL, an Azure, four services and 36 consumer instances on this machine ...');
const fleet = await startFleet({
  folder,
  wellKnownPorts: false,
  onTrouble: (name, how) => {
    console.error(`${name} ended unexpectedly (${how}); see ${join(folder, 'logs', `${name}.log`)}`);
  },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void fleet.stop().then(() => process.exit(130));
  });
}
let report: FleetReport;
try {
  report = await watchFleet(fleet, new LiveView(process.stdout), {
    withinMs: WITHIN_MS,
    ask: false,
  });
} finally {
  await fleet.stop();
}
const ok = succeeded(report);
console.log(summary(report));
if (ok) rmSync(folder, { recursive: true, force: true });
else console.log(`The logs are kept in ${join(folder, 'logs')}.`);
console.log(JSON.stringify({ ok, ...report }));
process.exitCode = ok ? 0 : 1;

function succeeded({
  accounts,
  rotationsCompleted,
  oldKeysStillAccepted,
  refused,
  calls,
}: FleetReport): boolean {
  return rotationsCompleted === accounts && oldKeysStillAccepted === 0 && refused === 0 && calls > 0;
}
