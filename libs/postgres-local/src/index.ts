export { createDatabase } from './create-database.js';
export { startPostgres, type LocalPostgres, type PostgresOptions } from './start.js';
