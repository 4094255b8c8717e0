import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PermanentFault } from '@twinkey/contracts';
import type { CareList } from './care-list.js';
import { readCareList, type Defaults } from './read-care-list.js';

/** `twinkey.yaml` on disk. */
export class CareFile {
  readonly path: string;
  #stamp = '';

  constructor(
    file: string,
    private readonly defaults: Defaults,
  ) {
    this.path = path.resolve(file);
  }

  /** Throws PermanentFault `file-missing` or `file-invalid`, the latter with every fault in its message. */
  read(): CareList {
    this.#stamp = this.#stampNow();
    const read = readCareList(this.#text(), this.defaults);
    if (read.ok) return read.list;
    throw new PermanentFault('file-invalid', [`${this.path} cannot be used:`, ...read.faults].join('\n  '), {
      remedy: 'Correct the file.',
    });
  }

  /** Whether the file is another than the one that was read. Follows links: Kubernetes swaps a link. */
  changed(): boolean {
    return this.#stampNow() !== this.#stamp;
  }

  #stampNow(): string {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    return stat === undefined ? 'missing' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
  }

  #text(): string {
    try {
      return readFileSync(this.path, 'utf8');
    } catch (error) {
      throw new PermanentFault('file-missing', `${this.path} cannot be read: ${reason(error)}.`, {
        cause: error,
        remedy: 'Write the file with accounts and policies, or say where it is with TWINKEY_FILE.',
      });
    }
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
