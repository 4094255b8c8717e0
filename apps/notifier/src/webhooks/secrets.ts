// The secrets that sign webhooks: files in a folder, as Kubernetes mounts them. They are read for each attempt, so a
// change is in force with the next one, and no longer kept than an attempt takes.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidSecret, readSigningSecret, type SignatureKind, type SigningSecret } from '@twinkey/webhook';

/** The secret of endpoints that name none: one key pair of the installation. */
export const DEFAULT_SECRET = 'default';

export type ReadSecrets =
  | { readonly secrets: readonly [SigningSecret, ...SigningSecret[]]; readonly problem?: never }
  /** One sentence for a person, without anything of the secret. */
  | { readonly problem: string; readonly secrets?: never };

/** `NAME` signs, and so does `NAME.previous` while there is such a file. */
export async function readSecrets(
  folder: string | undefined,
  { name, kind }: { readonly name: string; readonly kind: SignatureKind },
): Promise<ReadSecrets> {
  if (folder === undefined)
    return { problem: 'TWINKEY_WEBHOOK_SECRETS_DIR is not set, so nothing can be signed.' };
  // The contract allows letters, digits and dashes; whatever got past it must not leave the folder.
  if (!/^[0-9a-zA-Z-]+$/.test(name)) return { problem: 'The name of the secret is none.' };
  try {
    const current = await read(folder, name);
    if (current === null) return { problem: `There is no file "${name}" in TWINKEY_WEBHOOK_SECRETS_DIR.` };
    if (current.kind !== kind) {
      return {
        problem: `The file "${name}" holds a secret for ${current.kind}; the declaration says ${kind}.`,
      };
    }
    const previous = await read(folder, `${name}.previous`);
    return { secrets: previous === null ? [current] : [current, previous] };
  } catch (error) {
    if (error instanceof InvalidSecret)
      return { problem: `A file of "${name}" holds no secret: ${error.message}` };
    return { problem: `The file "${name}" in TWINKEY_WEBHOOK_SECRETS_DIR cannot be read.` };
  }
}

async function read(folder: string, file: string): Promise<SigningSecret | null> {
  try {
    return readSigningSecret(await readFile(join(folder, file), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
