// Mutates what decides over keys, line by line, and asks whether a spec notices. Names of areas or paths of sources
// restrict it: `npm run check:mutation -- key-switch`, `-- libs/rotation/src/gate.ts`. Reports: .mutation/.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { areaNames, sourcesOf } from './areas.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const reports = path.join(root, '.mutation');
const chosen = process.argv.slice(2);
for (const word of chosen) {
  if (areaNames.includes(word) || areaNames.some((name) => sourcesOf(name).includes(word))) continue;
  console.error(`${word} is not mutated. Give an area (${areaNames.join(', ')}) or one of its sources.`);
  process.exit(2);
}

/** Runs Stryker on an area; resolves to its exit code. */
function mutate(area, sources) {
  const stryker = path.join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const options = ['run', 'tools/mutation/stryker.config.mjs', '--mutate', sources.join(',')];
  const child = spawn(process.execPath, [stryker, ...options], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, MUTATION_AREA: area },
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('close', (code) => resolve(code ?? 1)));
}

/** Counts a report's mutants per file and verdict. */
function countsOf(area) {
  const { files } = JSON.parse(readFileSync(path.join(reports, `${area}.json`), 'utf8'));
  return Object.entries(files).map(([file, { mutants }]) => {
    const count = (...verdicts) => mutants.filter(({ status }) => verdicts.includes(status)).length;
    const killed = count('Killed');
    const timeouts = count('Timeout');
    const survived = count('Survived', 'NoCoverage');
    const errors = count('RuntimeError', 'CompileError', 'Pending');
    return { file, score: score(killed + timeouts, survived), killed, timeouts, survived, errors };
  });
}

function score(noticed, survived) {
  const all = noticed + survived;
  return all === 0 ? '100.0' : ((100 * noticed) / all).toFixed(1);
}

const started = Date.now();
const counts = [];
let failed = false;
mkdirSync(reports, { recursive: true });
for (const area of areaNames) {
  const sources = sourcesOf(area).filter(
    (source) => chosen.length === 0 || chosen.includes(area) || chosen.includes(source),
  );
  if (sources.length === 0) continue;
  rmSync(path.join(reports, `${area}.json`), { force: true });
  failed = (await mutate(area, sources)) !== 0 || failed;
  try {
    counts.push(...countsOf(area));
  } catch (error) {
    console.error(`${area}: there is no report (${error.message})`);
    failed = true;
  }
}
console.table(counts);
const sum = (field) => counts.reduce((all, each) => all + each[field], 0);
const noticed = sum('killed') + sum('timeouts');
console.log(
  `${noticed} of ${noticed + sum('survived')} mutants noticed (${score(noticed, sum('survived'))} %), ${sum('timeouts')} of them as loops without end, ${sum('errors')} errors, ${Math.round((Date.now() - started) / 1000)} s`,
);
process.exitCode = failed ? 1 : 0;
