// Takes the role assignments of services away, one at a time, and asks the doctor each time; then puts them back. A program
// of its own, because the authority of the embedded Azure is trusted by a variable that Node reads at its start, and one for
// all of them, because a process of the doctor for each takes a second.
//
//   node removed-roles.js FILE    FILE: { service: { application, clientId, clientSecret } }; one line of JSON for each answer
import { readFileSync } from 'node:fs';
import { AzureControl } from './azure-control.js';

export interface Identity {
  readonly application: { readonly name: string; readonly assignments: readonly Assignment[] };
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface Assignment {
  readonly role?: string;
  readonly actions?: readonly string[];
  readonly dataActions?: readonly string[];
  readonly scope?: string;
}

export interface Answer {
  readonly service: string;
  /** The place of what was taken away among the assignments; null: nothing was. */
  readonly removed: number | null;
  readonly code: number;
  /** All that the doctor does not call good. */
  readonly wrong: readonly {
    readonly check: string;
    readonly outcome: string;
    readonly detail?: string;
    readonly mend?: string;
  }[];
}

const cli = new URL('../../cli/dist/run.js', import.meta.url);

async function main(file: string): Promise<void> {
  const identities = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Identity>>;
  const { run } = (await import(cli.href)) as { run: (words: readonly string[]) => Promise<number> };
  const { TWINKEY_RESOURCE_MANAGER_ENDPOINT: origin = '', NODE_EXTRA_CA_CERTS: ca = '' } = process.env;
  const control = new AzureControl(origin, ca);
  const define = async (application: object) => {
    const { status, text } = await control.call('POST', '/_local/applications', application);
    if (status !== 201) throw new Error(text);
  };
  for (const [service, { application, clientId, clientSecret }] of Object.entries(identities)) {
    Object.assign(process.env, { AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret });
    const { assignments } = application;
    for (const removed of [null, ...assignments.keys()]) {
      if (removed !== null) await define({ ...application, assignments: assignments.toSpliced(removed, 1) });
      const { code, written } = await captured(() => run(['doctor', '--json', '--service', service]));
      const { findings } = JSON.parse(written) as { findings: Answer['wrong'] };
      const wrong = findings.filter(({ outcome }) => outcome !== 'ok');
      const answer: Answer = { service, removed, code, wrong };
      process.stdout.write(`${JSON.stringify(answer)}\n`);
      await define(application);
    }
  }
}

/** What it writes to standard output, in place of writing it. */
async function captured(
  speak: () => Promise<number>,
): Promise<{ readonly code: number; readonly written: string }> {
  const write = process.stdout.write.bind(process.stdout);
  let written = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    written += String(chunk);
    return true;
  };
  try {
    return { code: await speak(), written };
  } finally {
    process.stdout.write = write;
  }
}

await main(process.argv[2] ?? '');
