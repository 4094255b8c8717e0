// Writes the files that follow from the topology and the roles:
//   node tools/deploy/dist/generate.js && npx prettier --write deploy docker
import { writeFileSync } from 'node:fs';
import { generatedFiles } from './generated.js';
import { root } from './repository.js';

for (const [path, content] of Object.entries(generatedFiles())) {
  writeFileSync(root + path, `${JSON.stringify(content, null, 2)}\n`);
  console.log(`Written: ${path}`);
}
