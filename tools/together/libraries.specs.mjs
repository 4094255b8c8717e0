import { loadGroup } from './load.mjs';

await loadGroup('libraries');
