import { fileURLToPath } from 'node:url';

/** The root of the repository, with a slash at its end; the same from `src` and from `dist`. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));
