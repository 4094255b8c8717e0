import { loadGroup } from './load.mjs';

await loadGroup('embedded-azure');
