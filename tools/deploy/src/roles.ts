// Which identity has which role on what, as everybody else here asks for it. The table itself is part of the contracts, so
// that the command line can hold an installation against it; deploy/roles.json is written from there.
import { ROLES, type RoleTable } from '@twinkey/contracts';

export {
  grantsOf,
  ROLE_FEATURES as FEATURES,
  ROLE_PLACES as PLACES,
  type CustomRole,
  type RoleAssignment as Assignment,
  type RoleFeature as Feature,
  type RoleGrant as Grant,
  type RoleIdentity as Identity,
  type RolePlace as Place,
  type RoleTable as Roles,
} from '@twinkey/contracts';

/** What deploy/roles.json says. */
export function readRoles(): RoleTable {
  return ROLES;
}
