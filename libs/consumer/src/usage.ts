/** What this process showed an account since its start, so that people can see who still presents keys. */
export interface Used {
  /** Calls that carried a key; a repetition counts again. */
  readonly key: number;
  /** Times that a token was handed out which a key had bought. */
  readonly token: number;
  /** Calls that carried a token of Entra. */
  readonly entra: number;
  /** The key itself was handed out, by `credential`, `apiKey` or `headers`: there may be calls that nobody counted. */
  readonly bare: boolean;
}

export class Usage {
  key = 0;
  token = 0;
  entra = 0;

  /** `bare`: whether the key was handed out is known elsewhere. */
  used(bare: boolean): Used {
    const { key, token, entra } = this;
    return { key, token, entra, bare };
  }
}

/** Nothing worth telling. */
export function isUnused({ key, token, entra, bare }: Used): boolean {
  return key === 0 && token === 0 && entra === 0 && !bare;
}
