// Writes the generated reference pages; with --check it only says which of them are not what would be written.
// Run it after a build: node tools/docs/generate.mjs [--check] [PAGE …]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { asyncApiDocument } from './asyncapi.mjs';
import { configurationPage, envExample } from './configuration.mjs';
import { messagesPage } from './messages.mjs';
import { metricsPage } from './metrics.mjs';
import { root } from './sources.mjs';

const PAGES = {
  'docs/reference/asyncapi.json': asyncApiDocument,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/messages.md': messagesPage,
  'docs/reference/metrics.md': metricsPage,
  '.env.example': envExample,
};

/** What is formatted like all other files of its kind; the rest stays as it is made. */
const PARSERS = { '.md': 'markdown', '.json': 'json' };

const check = process.argv.includes('--check');
const wantedPages = process.argv.slice(2).filter((word) => word !== '--check');
const stale = [];
for (const [path, page] of Object.entries(PAGES)) {
  if (wantedPages.length > 0 && !wantedPages.includes(path)) continue;
  const file = join(root, path);
  const parser = PARSERS[extname(path)];
  const wanted =
    parser === undefined ? page() : await format(page(), { ...(await resolveConfig(file)), parser });
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
