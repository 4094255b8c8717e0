// Beside the embedded Azure, which listens on loopback only: lets the pods of this namespace in, and gives each service an
// identity of its own, with the very roles that it has in the cloud. For development clusters: whoever reaches the gate gets
// the identities.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { connect, createServer as createTcpServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const {
  AZURE_FOLDER = '/azure',
  APPLICATIONS = '/dev-files/applications.json',
  FORWARD = '18443:8443,18444:8444,18445:8445',
  GATE_PORT = '8080',
} = process.env;

const variables = await whenWritten(`${AZURE_FOLDER}/azure.env`);
const ca = readFileSync(variables.NODE_EXTRA_CA_CERTS);
const { applications } = JSON.parse(readFileSync(APPLICATIONS, 'utf8'));
const identities = new Map();
for (const application of applications) identities.set(application.name, await register(application));

createServer((asked, answer) => {
  const [, name] = /^\/([a-z-]+)\.env$/.exec(asked.url) ?? [];
  const identity = identities.get(name);
  if (asked.url === '/ca.pem') answer.end(ca);
  else if (identity !== undefined) answer.end(environmentOf(identity));
  else
    answer
      .writeHead(404)
      .end('There are /ca.pem and the environment of each application, such as /rotator.env.\n');
}).listen(Number(GATE_PORT));

for (const pair of FORWARD.split(',')) {
  const [from, to] = pair.split(':').map(Number);
  createTcpServer((incoming) => {
    const outgoing = connect({ port: to, host: '127.0.0.1', noDelay: true });
    incoming.setNoDelay(true).pipe(outgoing).pipe(incoming);
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy());
  }).listen(from);
}
console.log(`The gate is open for ${[...identities.keys()].join(', ')}.`);
process.on('SIGTERM', () => process.exit(0));

/** Written in one piece once everything listens. */
async function whenWritten(file) {
  for (;;) {
    try {
      return parse(readFileSync(file, 'utf8'));
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      await pause(500);
    }
  }
}

function parse(text) {
  const lines = text.split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => /^([A-Z0-9_]+)='?(.*?)'?$/.exec(line).slice(1)));
}

function register(application) {
  const body = JSON.stringify(application);
  const url = new URL('/_local/applications', variables.AZURE_AUTHORITY_HOST);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', ca, headers: { 'content-type': 'application/json' } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
        answer.on('end', () => {
          if (answer.statusCode < 300) resolve(JSON.parse(text));
          else reject(new Error(`${application.name} was not registered: ${answer.statusCode} ${text}`));
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Service Bus is reached as in the cloud, by its name and with a token. */
function environmentOf({ clientId, clientSecret }) {
  const { NODE_EXTRA_CA_CERTS: _file, SERVICEBUS_CONNECTION_STRING: connection, ...rest } = variables;
  const [, namespace] = /Endpoint=sb:\/\/([^;/]+)/.exec(connection);
  const own = {
    AZURE_CLIENT_ID: clientId,
    AZURE_CLIENT_SECRET: clientSecret,
    TWINKEY_SERVICE_BUS_NAMESPACE: namespace,
  };
  return Object.entries({ ...rest, ...own })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
