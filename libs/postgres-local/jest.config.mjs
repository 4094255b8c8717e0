import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/postgres-local', rootDir: import.meta.dirname };
