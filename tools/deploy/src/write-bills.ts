// `npm run sbom`: the bill of materials of each image, in dist/sbom.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { billOf } from './bill-of-materials.js';
import { IMAGES } from './images.js';
import { readLock } from './read-manifests.js';
import { root } from './repository.js';

const dockerfile = readFileSync(join(root, 'docker/Dockerfile'), 'utf8');
const folder = join(root, 'dist/sbom');
const packages = readLock();

mkdirSync(folder, { recursive: true });
for (const app of IMAGES) {
  const bill = billOf(app, { packages, dockerfile });
  const file = join(folder, `${app}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
  console.log(`dist/sbom/${app}.cdx.json: ${bill.components.length} components`);
}
