import type { Database } from '@twinkey/journal';
import { HttpProblem } from '@twinkey/service';
import { findAccounts } from '../read-model/accounts.js';
import { findRotations } from '../read-model/rotations.js';
import type { ConsoleTables } from '../read-model/tables.js';
import type { RotationView } from './answers.js';

type Db = Database<ConsoleTables>;

/** The ARM id of the one account that goes by this name. */
export async function theAccount(db: Db, nameOrId: string): Promise<string> {
  const [account, another] = await findAccounts(db, nameOrId);
  if (account === undefined)
    throw new HttpProblem(404, 'account-unknown', `No account "${nameOrId}" is under care.`);
  if (another !== undefined) {
    throw new HttpProblem(
      409,
      'account-ambiguous',
      `More than one account is called "${nameOrId}": ${account}, ${another}. Use resource-group/name.`,
    );
  }
  return account;
}

/** The one rotation whose id begins so. */
export async function theRotation(db: Db, beginning: string): Promise<RotationView> {
  const [rotation, another] = await findRotations(db, beginning);
  if (!rotation) throw new HttpProblem(404, 'rotation-unknown', `No rotation "${beginning}" is known.`);
  if (another && rotation.id !== beginning) {
    throw new HttpProblem(
      409,
      'rotation-ambiguous',
      `More than one rotation begins with "${beginning}": ${rotation.id}, ${another.id}. Use more of the id.`,
    );
  }
  return rotation;
}
