// What the contracts say about themselves besides their schemas: the comments above them, and their golden samples.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSource, root } from './sources.mjs';

/** In the order in which a rotation brings them about, with the file that defines each. */
export const MESSAGES = [
  ['RotationDue', 'rotation-due.ts'],
  ['RotationCommand', 'rotation-command.ts'],
  ['SwitchRequested', 'key-switch.ts'],
  ['KeyChanged', 'key-changed.ts'],
  ['KeyAcknowledged', 'key-changed.ts'],
  ['SwitchOutcome', 'key-switch.ts'],
  ['GenerationAhead', 'key-switch.ts'],
  ['RotationEvent', 'rotation-event.ts'],
  ['RegistryEvent', 'registry-event.ts'],
];

export const SAMPLES_FOLDER = 'libs/contracts/samples';
export const samples = readdirSync(join(root, SAMPLES_FOLDER))
  .sort()
  .map((file) => ({ file, body: JSON.parse(readSource(`${SAMPLES_FOLDER}/${file}`)) }));

/** The comment above `export const NAME`, as a sentence. */
export function sentenceAbove(source, name) {
  const [, comment = ''] = new RegExp(`/\\*\\* ([^\\n]+) \\*/\\nexport const ${name} = `).exec(source) ?? [];
  return sentence(comment);
}

/** The comments above the fields of `export const NAME`. */
export function docsIn(source, name) {
  const [, body = ''] = new RegExp(`export const ${name} = ([\\s\\S]*?)\\n\\}\\);`).exec(source) ?? [];
  const pairs = [...body.matchAll(/\/\*\*([^*]+)\*\/\s*(\w+):/g)];
  return Object.fromEntries(pairs.map(([, comment, field]) => [field, sentence(comment)]));
}

export function sentence(comment) {
  const text = comment.replaceAll(/\s+/g, ' ').trim();
  return /[.?]$/.test(text) ? text : `${text}.`;
}
