import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/azure-local', rootDir: import.meta.dirname };
