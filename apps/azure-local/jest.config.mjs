import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/azure-local-app', rootDir: import.meta.dirname };
