import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/notifier', rootDir: import.meta.dirname };
