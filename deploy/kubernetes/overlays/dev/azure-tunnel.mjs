// Beside each service of a development cluster: fetches its identity from the gate, and makes the embedded Azure be on this
// pod's loopback, where its certificate says that it is. The service starts when this is done (startupProbe).
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const {
  APPLICATION,
  AZURE_FOLDER = '/azure',
  GATE = 'azure',
  GATE_PORT = '8080',
  FORWARD = '8443:18443,8444:18444,8445:18445',
} = process.env;

for (const file of [`${APPLICATION}.env`, 'ca.pem']) {
  writeFileSync(`${AZURE_FOLDER}/${file}`, await fetched(`http://${GATE}:${GATE_PORT}/${file}`), {
    mode: 0o600,
  });
}
for (const pair of FORWARD.split(',')) {
  const [from, to] = pair.split(':').map(Number);
  createServer((incoming) => {
    const outgoing = connect({ port: to, host: GATE, noDelay: true });
    incoming.setNoDelay(true).pipe(outgoing).pipe(incoming);
    incoming.on('error', () => outgoing.destroy());
    outgoing.on('error', () => incoming.destroy());
  }).listen(from, '127.0.0.1');
}
writeFileSync(`${AZURE_FOLDER}/ready`, '');
console.log(`Azure is here for ${APPLICATION}.`);
process.on('SIGTERM', () => process.exit(0));

/** The gate opens when the embedded Azure is up; a pod that comes earlier waits. */
async function fetched(url) {
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (answer.ok) return await answer.text();
      console.log(`${url} answers ${answer.status}; asked again.`);
    } catch (error) {
      console.log(`${url} does not answer yet (${error.message}).`);
    }
    await pause(1_000);
  }
}
