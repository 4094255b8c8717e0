import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/rotator', rootDir: import.meta.dirname };
