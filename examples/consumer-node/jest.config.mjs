import preset from '../../jest.preset.mjs';

export default { ...preset, displayName: '@twinkey/example-consumer-node', rootDir: import.meta.dirname };
