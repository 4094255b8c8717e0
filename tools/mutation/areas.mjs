// What is mutated, and the specs that have to notice. One area after the other: each mutant loads all specs of its
// area.
import { readdirSync } from 'node:fs';
import path from 'node:path';

const areas = {
  rotation: {
    folder: 'libs/rotation/src',
    mutate: [
      'decide',
      'drift',
      'evolve',
      'foresee',
      'gate',
      'incarnation',
      'lateness',
      'line',
      'observed',
      'plan',
      'publishing',
      'questions',
      'steps',
      'terms',
      'waiting',
    ],
    // Chance would make the score another one each time, and its many worlds take too long for a thousand mutants.
    specs: /^(?!chaos|any-).*\.spec\.ts$/,
    // A spec takes about 20 ms, and a step 100 ns.
    steps: 5_000_000,
  },
  'key-switch': {
    folder: 'libs/key-switch/src',
    mutate: ['census', 'expectation', 'instance', 'key-switch', 'owed', 'request'],
    specs: /^(?!any-).*\.spec\.ts$/,
  },
  effects: {
    folder: 'libs/key-store/src',
    mutate: ['effect', 'faults'],
    specs: /^(effect|faults).*\.spec\.ts$/,
  },
  // relay.ts and acknowledge.ts are not here, only what they decide: they are tried with a PostgreSQL, and one that is
  // slow for a moment would pass for a spec that noticed.
  outbox: {
    folder: 'libs/journal/src',
    mutate: ['batch', 'failing-keys', 'outbox', 'passes'],
    specs: /^(batch|failing-keys|outbox|passes)\.spec\.ts$/,
  },
  acknowledgements: {
    folder: 'apps/notifier/src',
    mutate: ['advance', 'disbelieved', 'signed'],
    specs: /^(advance|disbelieved|signed)\.spec\.ts$/,
  },
};

/** The projects of all areas, as paths from the root. */
export const folders = Object.values(areas).map(({ folder }) => path.dirname(folder));

export const areaNames = Object.keys(areas);

/** The sources of an area, as paths from the root. */
export function sourcesOf(name) {
  const { folder, mutate } = areaOf(name);
  return mutate.map((source) => `${folder}/${source}.ts`);
}

/** The specs of an area, as whole paths below `root`. */
export function specsOf(name, root) {
  const { folder, specs } = areaOf(name);
  const inside = path.join(root, folder);
  return readdirSync(inside)
    .filter((file) => specs.test(file))
    .map((file) => path.join(inside, file));
}

/** After how many steps through mutated sources a spec of the area has no end. */
export function stepsOf(name) {
  return areaOf(name).steps ?? Infinity;
}

function areaOf(name) {
  const area = areas[name];
  if (area === undefined)
    throw new Error(`There is no area ${String(name)}; give one of ${areaNames.join(', ')}.`);
  return area;
}
