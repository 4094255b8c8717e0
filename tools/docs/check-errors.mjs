// docs/reference/errors.md is written by hand; this says which codes of the sources it lacks, and which it invents.
// node tools/docs/check-errors.mjs [PAGE]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enumIn, exitCodes, faultCodes, problemCodes, root, unionIn } from './sources.mjs';

/** The broker's own reasons are not in our sources. */
const OF_THE_BROKER = ['TTLExpiredException', 'MaxDeliveryCountExceeded'];
const DEAD_LETTERS = ['UnreadableMessage', 'NoHandler', 'DeliveriesExhausted'];

const SECTIONS = {
  'Why a rotation halted': enumIn('libs/contracts/src/rotation-event.ts', 'HaltReason'),
  'Why a command was refused': unionIn('libs/rotation/src/decide.ts', 'RefusalCode'),
  'Why a message is a dead letter': [...DEAD_LETTERS, ...OF_THE_BROKER],
  Faults: faultCodes().filter((code) => !DEAD_LETTERS.includes(code)),
  'Answers over HTTP': problemCodes(),
  'Exit codes': exitCodes(),
};

const page = readFileSync(process.argv[2] ?? join(root, 'docs/reference/errors.md'), 'utf8');
const gaps = Object.entries(SECTIONS).flatMap(([heading, codes]) => {
  const written = codesBelow(heading);
  // An empty list would agree with an empty section: then the sources were not understood.
  if (codes.length === 0) return [`${heading}: no code was found in the sources`];
  return [
    ...codes.filter((code) => !written.has(code)).map((code) => `${heading}: ${code} is missing`),
    ...[...written.keys()]
      .filter((code) => !codes.includes(code))
      .map((code) => `${heading}: ${code} does not exist`),
    ...[...written]
      .filter(([, cells]) => cells.some((cell) => cell === ''))
      .map(([code]) => `${heading}: ${code} has an empty cell`),
  ];
});
for (const gap of gaps) console.error(`docs/reference/errors.md: ${gap}`);
process.exitCode = gaps.length === 0 ? 0 : 1;

/** The rows of a section's table: code → its other cells. */
function codesBelow(heading) {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const rows = section.split('\n## ')[0].split('\n');
  return new Map(
    rows.flatMap((row) => {
      const [, code, rest] = /^\| `([\w-]+)`\s*\|(.*)\|$/.exec(row) ?? [];
      return code === undefined ? [] : [[code, rest.split('|').map((cell) => cell.trim())]];
    }),
  );
}
