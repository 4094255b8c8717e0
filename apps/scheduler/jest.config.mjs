import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/scheduler', rootDir: import.meta.dirname };
