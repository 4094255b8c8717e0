/** What a token for Azure Database for PostgreSQL is asked for by: the same for all servers of the public cloud. */
export const DATABASE_TOKEN_SCOPE = 'https://ossrdbms-aad.database.windows.net/.default';
