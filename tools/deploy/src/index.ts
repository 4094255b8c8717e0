export {
  embeddedApplications,
  type EmbeddedApplication,
  type EmbeddedAssignment,
  type EmbeddedPlaces,
} from './embedded-applications.js';
export {
  FEATURES,
  grantsOf,
  PLACES,
  readRoles,
  type Assignment,
  type CustomRole,
  type Feature,
  type Grant,
  type Identity,
  type Place,
  type Roles,
} from './roles.js';
