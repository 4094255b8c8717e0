// What the launcher asks the console: the same API that the CLI uses.
export interface AccountLine {
  readonly name: string;
  readonly state: string;
  readonly rotation: string | null;
  readonly step: string | null;
  readonly published: { readonly slot: string; readonly generation: number } | null;
  readonly consumers: readonly {
    readonly consumer: string;
    readonly live: number;
    readonly acknowledged: number;
  }[];
}

export interface RotationLine {
  readonly id: string;
  readonly account: string;
  readonly state: string;
  readonly step: string | null;
  readonly requestedAt: string;
  readonly completedAt: string | null;
  readonly seconds: number | null;
  readonly keysReplaced: number | null;
  readonly halt: { readonly reason: string; readonly detail: string; readonly remedy: string } | null;
}

export class ConsoleClient {
  constructor(private readonly url: string) {}

  async accounts(): Promise<readonly AccountLine[]> {
    return (await this.#get<{ accounts: readonly AccountLine[] }>('/v1/accounts')).accounts;
  }

  async rotations(): Promise<readonly RotationLine[]> {
    return (await this.#get<{ rotations: readonly RotationLine[] }>('/v1/rotations?limit=200')).rotations;
  }

  /** Asks for a rotation; null when one is open already. */
  async rotate(account: string, reason: string): Promise<string | null> {
    const response = await fetch(`${this.url}/v1/accounts/${account}/rotations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason }),
    });
    if (response.status === 409) return null;
    if (!response.ok) throw new Error(`the console answered ${response.status} to a rotation of ${account}`);
    return ((await response.json()) as { rotation: string }).rotation;
  }

  async #get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(5_000) });
    if (!response.ok) throw new Error(`the console answered ${response.status} to ${path}`);
    return (await response.json()) as Answer;
  }
}
