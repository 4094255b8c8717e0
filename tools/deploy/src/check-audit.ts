// `npm run check:audit`: fails on what npm finds and nobody has explained. 0: nothing. 1: something. 2: the registry
// does not answer such questions, so nothing is known.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFaults, explanationFaults, NoAudit, readReport, type Explanation } from './audit.js';
import { root } from './repository.js';

const explained = JSON.parse(
  readFileSync(join(root, 'tools/audit/explained.json'), 'utf8'),
) as readonly Explanation[];

function ask(...more: readonly string[]): string {
  const { stdout, error } = spawnSync('npm', ['audit', '--json', ...more], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (error !== undefined) throw error;
  return stdout;
}

try {
  const reports = { all: readReport(ask()), production: readReport(ask('--omit=dev')) };
  const today = new Date().toISOString().slice(0, 10);
  const faults = [...explanationFaults(explained), ...auditFaults(reports, explained, today)];
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
  else console.log(`Nothing is known that is not explained; ${explained.length} explained.`);
} catch (error) {
  if (!(error instanceof NoAudit)) throw error;
  console.error(
    `The registry does not answer audits: ${error.message}\nRun it where the public one is reached.`,
  );
  process.exitCode = 2;
}
