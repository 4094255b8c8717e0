// node tools/deploy/dist/check-release.js TAG: whether the manifests say what the tag says. Prints the packages to be
// published, one a line, each after those that it needs.
import { readNaming, readManifests } from './read-manifests.js';
import { oldVersions, publishOrder, releaseFaults } from './release.js';

const [tag = ''] = process.argv.slice(2);
const manifests = readManifests();
const version = tag.replace(/^v/, '');
const faults = [
  ...releaseFaults(manifests, tag),
  ...readNaming().flatMap(([file, text]) => [...oldVersions(file, text, version)]),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(publishOrder(manifests).join('\n'));
