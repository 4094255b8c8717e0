import { stat } from 'node:fs/promises';
import path from 'node:path';

/** Whom the server runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root; `nobody` exists everywhere and needs no useradd. */
const nobody: ServerUser = { uid: 65534, gid: 65534 };

/** null: the server runs as we do. */
export function chooseServerUser(): ServerUser | null {
  return process.getuid?.() === 0 ? nobody : null;
}

/** Whether `user` may pass through every folder down to and including `folder`. */
export async function reachableBy(user: ServerUser, folder: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(folder);
  const open = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & open) === 0) return false;
  const parent = path.dirname(folder);
  return parent === folder || reachableBy(user, parent);
}
