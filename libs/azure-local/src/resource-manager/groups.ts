import type { Table } from '../host/persist.js';

export interface Group {
  /** As it was spelled when it was made; found by any spelling. */
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** What a folder keeps of a group; a name alone for one that came along with an account. */
export type StoredGroup = Group | string;

const defaultLocation = 'westeurope';

/** The resource groups of the subscription. */
export class Groups {
  constructor(private readonly table: Table<StoredGroup>) {}

  all(): readonly Group[] {
    return [...this.table.entries()]
      .map(([, stored]) => whole(stored))
      .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  }

  get(name: string): Group | undefined {
    const stored = this.table.get(name.toLowerCase());
    return stored === undefined ? undefined : whole(stored);
  }

  /** Makes the group, or gives an existing one these tags; its spelling and its location stay. */
  put(asked: Group): { readonly group: Group; readonly created: boolean } {
    const before = this.get(asked.name);
    const group = before === undefined ? asked : { ...before, tags: asked.tags };
    this.table.write([group.name.toLowerCase(), group]);
    return { group, created: before === undefined };
  }

  delete(name: string): void {
    this.table.write([name.toLowerCase(), undefined]);
  }
}

function whole(stored: StoredGroup): Group {
  return typeof stored === 'string' ? { name: stored, location: defaultLocation, tags: {} } : stored;
}
