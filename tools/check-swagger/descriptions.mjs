// The published descriptions of the interfaces, and the validator that reads them. Neither is a dependency: the
// descriptions are Microsoft's, and the validator is 190 packages.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const accounts =
  'cognitiveservices/resource-manager/Microsoft.CognitiveServices/stable/2022-10-01/cognitiveservices.json';
const secrets = 'keyvault/data-plane/Microsoft.KeyVault/stable/7.2';

/** The folder with the descriptions, or why there is none. */
export function descriptions() {
  const folder = process.env.SPECS_DIR;
  const remedy =
    'Clone https://github.com/Azure/azure-rest-api-specs (sparse: specification/cognitiveservices, ' +
    'specification/keyvault, specification/common-types), and set SPECS_DIR to its folder "specification".';
  if (!folder) return { skipped: `SPECS_DIR is not set. ${remedy}` };
  const missing = [accounts, `${secrets}/secrets.json`].find((file) => !existsSync(join(folder, file)));
  return missing === undefined
    ? { folder }
    : { skipped: `There is no ${missing} in SPECS_DIR (${folder}). ${remedy}` };
}

/** The validator's class, or how to get it. */
export function validator() {
  const folders = [process.env.OAV_DIR, process.cwd()].filter(Boolean);
  for (const folder of folders) {
    const require = createRequire(resolve(folder, 'any.js'));
    try {
      return { LiveValidator: require('oav').LiveValidator };
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return {
    skipped:
      'oav is not installed. `npm install --prefix ../oav oav@4.0.3` installs it outside of the repository; ' +
      'then set OAV_DIR=../oav.',
  };
}

/**
 * Key Vault's description says `/secrets/{name}/versions` and `/secrets/{name}/{version}`, and the validator cannot
 * tell them apart. So each kind is compared with a copy that has only its own.
 */
export function splitSecrets(specifications, temporary) {
  const from = join(specifications, secrets);
  const whole = JSON.parse(readFileSync(join(from, 'secrets.json'), 'utf8'));
  const copy = (name, wanted) => {
    const folder = join(temporary, name);
    const to = join(folder, 'data-plane/Microsoft.KeyVault/stable/7.2');
    mkdirSync(to, { recursive: true });
    const paths = Object.fromEntries(Object.entries(whole.paths).filter(([path]) => wanted(path)));
    writeFileSync(join(to, 'secrets.json'), JSON.stringify({ ...whole, paths }));
    writeFileSync(join(to, 'common.json'), readFileSync(join(from, 'common.json')));
    return folder;
  };
  const isVersions = (path) => path.endsWith('/versions');
  return {
    versions: copy('versions', isVersions),
    others: copy('others', (path) => !isVersions(path)),
  };
}
