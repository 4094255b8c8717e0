// Collects the history of a run: starts the embedded Azure with the witness, asks the console what twinkey says of its
// rotations, and puts both before the judge.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fact } from './facts.js';
import type { Claim, Finding, History, Slot, ToldRotation } from './history.js';
import { judge } from './judge.js';

const witness = fileURLToPath(new URL('../../dist/history/wire-tap.js', import.meta.url));

interface ShownEvent {
  readonly event: string;
  readonly what: Readonly<Record<string, unknown>>;
}

interface ShownRotation {
  readonly id: string;
  readonly account: string;
  readonly requestedAt: string;
  readonly completedAt: string | null;
  readonly state: string;
  readonly halt: { readonly reason: string; readonly remedy: string } | null;
  readonly events: readonly ShownEvent[];
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly history: History;
}

export class Recorder {
  readonly #file: string;
  readonly #salt = randomBytes(24).toString('base64url');

  /** The console lists the newest only; one that has completed does not change any more. */
  readonly #completed = new Map<string, ToldRotation>();

  constructor(folder: string) {
    this.#file = join(folder, 'history.jsonl');
  }

  /** For the embedded Azure. */
  get azureEnvironment(): Readonly<Record<string, string>> {
    const preload = `--import=${witness}`;
    return { NODE_OPTIONS: preload, HISTORY_FILE: this.#file, HISTORY_SALT: this.#salt };
  }

  /** For the services: with the same salt their fingerprints can be compared with the witness's. */
  get environment(): Readonly<Record<string, string>> {
    return { TWINKEY_FINGERPRINT_SALT: this.#salt };
  }

  /** Notes what the test itself did to the processes. */
  note(what: string): void {
    appendFileSync(this.#file, `${JSON.stringify({ at: Date.now(), fact: 'interruption', what })}\n`);
  }

  facts(): readonly Fact[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Fact);
  }

  /** All that happened up to now, with what the console tells. */
  async history(
    console: string,
    callers: History['callers'],
    others: Pick<History, 'halted'> = {},
  ): Promise<History> {
    const list = await get<{ rotations: readonly { id: string }[] }>(`${console}/v1/rotations?limit=200`);
    const open: ToldRotation[] = [];
    for (const { id } of list.rotations.filter((each) => !this.#completed.has(each.id))) {
      const rotation = told(await get<ShownRotation>(`${console}/v1/rotations/${id}`));
      if (rotation.completedAt === null) open.push(rotation);
      else this.#completed.set(id, rotation);
    }
    const rotations = [...this.#completed.values(), ...open];
    const consumer = 'twinkey-consumer/';
    return { facts: this.facts(), rotations, callers, consumer, quiescenceMs: 3_000, ...others };
  }

  /** The judge's findings on all that happened up to now. A history in which there are some is kept in HISTORY_KEPT. */
  async verdict(...args: Parameters<Recorder['history']>): Promise<Verdict> {
    const history = await this.history(...args);
    const findings = judge(history);
    const kept = process.env['HISTORY_KEPT'];
    if (kept !== undefined && findings.length > 0)
      writeFileSync(kept, JSON.stringify({ findings, ...history }));
    return { history, findings };
  }
}

function told(shown: ShownRotation): ToldRotation {
  const { id, account, state, halt } = shown;
  const due: readonly Slot[] = ['key1', 'key2'];
  const completedAt = shown.completedAt === null ? null : Date.parse(shown.completedAt);
  const claims = shown.events.flatMap(claimOf);
  const requestedAt = Date.parse(shown.requestedAt);
  return { id, account: account.toLowerCase(), due, requestedAt, completedAt, state, halt, claims };
}

function claimOf({ event, what }: ShownEvent): readonly Claim[] {
  const slot = what['slot'] === 'key1' ? 'key1' : 'key2';
  const fingerprint = String(what['fingerprint']);
  if (event === 'retired') return [{ claim: 'retired', slot, fingerprint, by: String(what['by']) }];
  if (event === 'published')
    return [{ claim: 'published', slot, generation: Number(what['generation']), fingerprint }];
  return [];
}

async function get<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url} was answered ${response.status}`);
  return (await response.json()) as Answer;
}
