// Writes what the package shows to its users, `api/*.api.md`; with --check it only says whether that changed. Each change
// of these files is a change that applications may notice. After a build: node libs/consumer/report-api.mjs [--check]
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const folder = fileURLToPath(new URL('.', import.meta.url));
const ENTRIES = { consumer: 'dist/index.d.ts', testing: 'dist/fake/index.d.ts' };

const check = process.argv.includes('--check');
const temporary = mkdtempSync(join(tmpdir(), 'consumer-api-'));
try {
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const file = join(folder, 'api', `${name}.api.md`);
    const wanted = await format(reportOf(name, join(folder, entry)), {
      ...(await resolveConfig(file)),
      parser: 'markdown',
    });
    if (read(file) === wanted) continue;
    if (check) {
      console.error(
        `Not what the sources show: libs/consumer/api/${name}.api.md. If the change is meant, write it: npm run build && node libs/consumer/report-api.mjs`,
      );
      process.exitCode = 1;
    } else {
      mkdirSync(join(folder, 'api'), { recursive: true });
      writeFileSync(file, wanted);
      console.log(`Written: libs/consumer/api/${name}.api.md`);
    }
  }
} finally {
  rmSync(temporary, { recursive: true });
}

function reportOf(name, entry) {
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: entry,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023'],
            module: 'nodenext',
            strict: true,
            exactOptionalPropertyTypes: true,
            skipLibCheck: true,
            types: ['node'],
          },
          files: [entry],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: temporary,
        reportTempFolder: join(temporary, 'temp'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        // Nothing is marked with release tags here, and types that are not exported are readable in the report all the same.
        extractorMessageReporting: { default: { logLevel: 'none' } },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  });
  const { succeeded } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
      if (message.logLevel === 'error') console.error(message.text);
    },
  });
  if (!succeeded) throw new Error(`${entry} could not be read; build the package first.`);
  return readFileSync(join(temporary, `${name}.api.md`), 'utf8');
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
