// The two scripts of deploy/kubernetes/overlays/dev as processes of this machine, around a real embedded Azure.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestAzure, until, type TestAzure } from '@twinkey/testing';
import { root } from './repository.js';

const scripts = `${root}deploy/kubernetes/overlays/dev`;
const folder = mkdtempSync(join(tmpdir(), 'twinkey-dev-cluster-'));
const children: ChildProcess[] = [];
let azure: TestAzure;

beforeAll(async () => {
  azure = await startTestAzure({ fleet: [{ name: 'speech', resourceGroup: 'ai' }] });
});

afterAll(async () => {
  for (const child of children) {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await azure.stop();
  rmSync(folder, { recursive: true });
});

describe('a pod of a development cluster', () => {
  it('finds the embedded Azure on its own loopback, and may there what it may in the cloud', async () => {
    const [inside, outside, gate] = [await freePort(), await freePort(), await freePort()];
    const origin = new URL(azure.endpoints.origin);
    writeFileSync(join(folder, 'azure.env'), linesOf(azure.environment()));
    run('azure-gate.mjs', {
      AZURE_FOLDER: folder,
      APPLICATIONS: `${scripts}/applications.json`,
      FORWARD: `${outside}:${origin.port}`,
      GATE_PORT: String(gate),
    });
    const pods = ['rotator', 'notifier'].map((name, index) => {
      const pod = join(folder, name);
      mkdirSync(pod);
      const forward = index === 0 ? { FORWARD: `${inside}:${outside}` } : { FORWARD: '0:1' };
      run('azure-tunnel.mjs', {
        APPLICATION: name,
        AZURE_FOLDER: pod,
        GATE: '127.0.0.1',
        GATE_PORT: String(gate),
        ...forward,
      });
      return pod;
    });
    await until(() => pods.every((pod) => existsSync(join(pod, 'ready'))));

    expect(readFileSync(join(folder, 'rotator/ca.pem'), 'utf8')).toBe(azure.ca);
    const here = `https://localhost:${inside}`;
    expect((await azure.call(`${here}/_local/healthz`)).status).toBe(200);
    expect(await listKeys(here, 'rotator')).toBe(200);
    expect(await listKeys(here, 'notifier')).toBe(403);
  });
});

function run(script: string, env: Readonly<Record<string, string>>): void {
  children.push(spawn(process.execPath, [join(scripts, script)], { env, stdio: 'ignore' }));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function linesOf(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('');
}

/** With the identity that the pod was given, through its tunnel. */
async function listKeys(here: string, name: string): Promise<number> {
  const lines = readFileSync(join(folder, name, `${name}.env`), 'utf8').split('\n');
  const value = (variable: string) =>
    lines.find((line) => line.startsWith(`${variable}=`))?.slice(variable.length + 1);
  const asked = await azure.call(`${here}/${azure.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: value('AZURE_CLIENT_ID') ?? '',
      client_secret: value('AZURE_CLIENT_SECRET') ?? '',
      scope: 'https://management.azure.com/.default',
    }).toString(),
  });
  const { access_token: token } = asked.json() as { access_token: string };
  const account = `/subscriptions/${azure.subscriptionId}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech`;
  const answer = await azure.call(`${here}${account}/listKeys?api-version=2025-09-01`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.status;
}
