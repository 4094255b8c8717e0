// What the embedded Azure itself counted: the second, independent witness that no consumer was refused.
import { request } from 'node:https';
import { readFileSync } from 'node:fs';

interface LedgerEntry {
  readonly caller: string;
  readonly outcome: 'accepted' | 'refused';
  readonly count: number;
}

export interface Ledger {
  readonly accepted: number;
  readonly refused: number;
}

const CONSUMERS = /^twinkey-consumer\//;

/** Calls of consumers, by outcome; probes and whoever else are left out. */
export async function consumersInLedger(origin: string, caFile: string): Promise<Ledger> {
  const { entries } = JSON.parse(await get(`${origin}/_local/ledger`, caFile)) as {
    entries: readonly LedgerEntry[];
  };
  const of = (outcome: LedgerEntry['outcome']) =>
    entries
      .filter((entry) => CONSUMERS.test(entry.caller) && entry.outcome === outcome)
      .reduce((sum, { count }) => sum + count, 0);
  return { accepted: of('accepted'), refused: of('refused') };
}

function get(url: string, caFile: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { ca: readFileSync(caFile) }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve(text);
      });
    });
    call.on('error', reject);
    call.end();
  });
}
