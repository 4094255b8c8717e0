// Compares what the embedded Azure says with the published descriptions of its interfaces: runs the contract suites of
// Key Vault and Resource Manager, records what the SDKs send and get, and has Microsoft's validator judge every pair.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { descriptions, splitSecrets, validator } from './descriptions.mjs';
import { pair, planted, recorded } from './exchanges.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

function record(folder) {
  const suites = 'src/contract/(key-vault|resource-manager)';
  const jest = ['node_modules/jest/bin/jest.js', '-c', 'libs/azure-local/jest.config.mjs', suites];
  const { status } = spawnSync(process.execPath, jest, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      AZURE_CONTRACT: '',
      CONTRACT_TRAFFIC: folder,
      NODE_OPTIONS: '--experimental-vm-modules --no-warnings=ExperimentalWarning',
    },
  });
  if (status !== 0) throw new Error('The contract suites failed; what they recorded is worth nothing.');
}

async function opened(LiveValidator, directory, pattern) {
  const options = {
    directory,
    swaggerPathsPattern: [pattern],
    excludedSwaggerPathsPattern: [],
    git: { shouldClone: false },
    checkUnderFileRoot: false,
    loadValidatorInBackground: false,
    isPathCaseSensitive: false,
  };
  const made = new LiveValidator(options, () => undefined); // it warns of every path of Key Vault, without reason
  await made.initialize();
  return made;
}

/** What is wrong with an exchange, as texts; none when it is as described. */
async function violations(judge, exchange) {
  const judged = await judge.validateLiveRequestResponse(structuredClone(exchange));
  const { requestValidationResult: request, responseValidationResult: response } = judged;
  return [
    ...[judged, request, response].map((one) => one.runtimeException).filter(Boolean),
    ...request.errors,
    ...response.errors,
  ].map(({ code, message, pathsInPayload = [] }) => `${code}: ${message} ${pathsInPayload.join(' ')}`.trim());
}

async function check(specifications, LiveValidator, temporary) {
  const traffic = join(temporary, 'traffic');
  record(traffic);
  const vault = splitSecrets(specifications, temporary);
  const judges = {
    accounts: await opened(LiveValidator, specifications, '**/cognitiveservices.json'),
    versions: await opened(LiveValidator, vault.versions, '**/secrets.json'),
    secrets: await opened(LiveValidator, vault.others, '**/secrets.json'),
  };
  const judgeOf = ({ liveRequest: { url } }) => {
    if (url.includes('management.azure.com')) return judges.accounts;
    return new URL(url).pathname.endsWith('/versions') ? judges.versions : judges.secrets;
  };
  const exchanges = ['key-vault', 'resource-manager'].flatMap((service) =>
    recorded(traffic, service).map(pair),
  );
  const wrong = [];
  for (const exchange of exchanges) {
    const found = await violations(judgeOf(exchange), exchange);
    const { method, url } = exchange.liveRequest;
    if (found.length > 0)
      wrong.push(
        `${method} ${new URL(url).pathname} ${exchange.liveResponse.statusCode}\n  ${found.join('\n  ')}`,
      );
  }
  const find = (method, path) => {
    const found = exchanges.find(
      ({ liveRequest, liveResponse }) =>
        liveRequest.method === method && path.test(liveRequest.url) && liveResponse.statusCode === '200',
    );
    if (found === undefined)
      throw new Error(`No ${method} of ${path} was recorded, so no control can be made of it.`);
    return found;
  };
  const controls = planted({
    listKeys: find('POST', /\/listKeys\?/),
    regenerateKey: find('POST', /\/regenerateKey\?/),
    getSecret: find('GET', /\/secrets\/[^/?]+\/[0-9a-f]{32}/),
    setSecret: find('PUT', /\/secrets\//),
  });
  for (const [what, exchange] of controls) {
    const found = await violations(judgeOf(exchange), exchange);
    if (found.length === 0) wrong.push(`The check is blind: ${what} was planted, and nothing was reported.`);
  }
  const count = (service) => exchanges.filter(({ liveRequest }) => liveRequest.url.includes(service)).length;
  console.log(
    `${count('vault.azure.net')} exchanges of Key Vault, ${count('management.azure.com')} of Resource Manager, ` +
      `${controls.length} planted violations: ${wrong.length === 0 ? 'all as described' : `${wrong.length} wrong`}`,
  );
  return wrong;
}

const { folder, skipped } = descriptions();
const { LiveValidator, skipped: absent } = validator();
if (skipped !== undefined || absent !== undefined) {
  for (const why of [skipped, absent].filter(Boolean)) console.log(`SKIPPED: ${why}`);
} else {
  const temporary = mkdtempSync(join(tmpdir(), 'swagger-'));
  try {
    const wrong = await check(folder, LiveValidator, temporary);
    for (const text of wrong) console.error(text);
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
