import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/agent', rootDir: import.meta.dirname };
