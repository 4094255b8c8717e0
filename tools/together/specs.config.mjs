import path from 'node:path';
import preset from '../../jest.preset.mjs';

const root = path.resolve(import.meta.dirname, '../..');

export default {
  ...preset,
  rootDir: root,
  roots: ['apps', 'libs', 'examples', 'tools'].map((folder) => path.join(root, folder)),
  testMatch: [path.join(import.meta.dirname, '*.specs.mjs')],
  testSequencer: path.join(import.meta.dirname, 'longest-first.mjs'),
  testEnvironment: path.join(import.meta.dirname, 'environment.mjs'),
};
