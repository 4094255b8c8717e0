import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Whoever reads the file sees the old text or the new one, never a part, whatever ends in between. Written beside it and
 * moved over it, both brought to the disk. A link is replaced by the file itself.
 */
export async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const folder = dirname(file);
  // One name, so that a writer that was killed leaves one file at most, and the next one takes it away.
  const temporary = join(folder, `.${basename(file)}.twinkey-new`);
  await rm(temporary, { force: true });
  // `wx` opens no file and no link that somebody else put there.
  const handle = await open(temporary, 'wx', mode);
  try {
    await handle.chmod(mode); // the process's umask had its say before
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** The new name itself must outlive a power cut. */
async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch {
    // Some file systems and platforms let nobody sync a folder; then a cut may bring back the older file, which the
    // agent finds when it starts.
  } finally {
    await handle?.close();
  }
}
