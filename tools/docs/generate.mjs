// Writes the generated reference pages; with --check it only says which of them are not what would be written.
// Run it after a build: node tools/docs/generate.mjs [--check]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationPage, envExample } from './configuration.mjs';
import { messagesPage } from './messages.mjs';
import { metricsPage } from './metrics.mjs';
import { root } from './sources.mjs';

const PAGES = {
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/messages.md': messagesPage,
  'docs/reference/metrics.md': metricsPage,
  '.env.example': envExample,
};

const check = process.argv.includes('--check');
const stale = [];
for (const [path, page] of Object.entries(PAGES)) {
  const file = join(root, path);
  const wanted = path.endsWith('.md')
    ? await format(page(), { ...(await resolveConfig(file)), parser: 'markdown' })
    : page();
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) continue;
  if (!check) writeFileSync(file, wanted);
  stale.push(path);
}
if (stale.length === 0) console.log('Every generated page is as it should be.');
else if (!check) console.log(`Written: ${stale.join(', ')}`);
else {
  console.error(
    `Not what would be generated: ${stale.join(', ')}. Refresh them with: npm run build && node tools/docs/generate.mjs`,
  );
  process.exitCode = 1;
}
