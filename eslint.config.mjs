// One configuration and one run for the whole repository: a single program of all sources is type-checked once
// (75 s of processor time; a run per project took 365 s). Run it through nx only (`node tools/nx.mjs lint twinkey`):
// without nx's project graph the boundary rule is skipped silently. tools/dev/src/boundaries.spec.ts plants
// violations and expects the errors.
import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import { globalIgnores } from 'eslint/config';
import globals from 'globals';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

const only = (sourceTag, onlyDependOnLibsWithTags, more = {}) => ({
  sourceTag,
  onlyDependOnLibsWithTags,
  ...more,
});
const noNest = { bannedExternalImports: ['@nestjs/*'] };

/** Who may import whom; the table in ARCHITECTURE.md says why. */
const walls = [
  only('type:contract', [], { allowedExternalImports: ['zod'] }),
  only('type:core', ['type:contract'], { allowedExternalImports: [] }),
  only('type:adapter', ['type:contract', 'type:adapter'], noNest),
  only('type:emulator', ['type:emulator'], noNest),
  only('type:sdk', ['type:contract', 'type:adapter'], noNest),
  // Applies keys where a program cannot be changed: files, children, Kubernetes. A consumer itself.
  only('type:agent', ['type:contract', 'type:adapter', 'type:sdk'], noNest),
  only('type:host', ['type:contract', 'type:adapter', 'type:host']),
  only('type:app', ['type:contract', 'type:core', 'type:adapter', 'type:host']),
  only('type:cli', ['type:contract', 'type:adapter', 'type:agent'], noNest),
  only('type:testing', [
    'type:contract',
    'type:core',
    'type:adapter',
    'type:emulator',
    'type:host',
    'type:sdk',
  ]),
  // The services and a consumer in one process, in a world that goes wrong.
  only('type:simulation', [
    'type:app',
    'type:contract',
    'type:core',
    'type:adapter',
    'type:host',
    'type:sdk',
    'type:testing',
  ]),
  only('type:tool', ['type:contract', 'type:emulator', 'type:adapter', 'type:tool'], noNest),
  only('type:example', ['type:sdk'], noNest),
  only('type:e2e', [
    'type:contract',
    'type:emulator',
    'type:adapter',
    'type:sdk',
    'type:tool',
    'type:testing',
  ]),
];

/** A spec, and what only specs share, may also reach for the test library, and for the emulators that its subject is tried against. */
const wallsOfSpecs = walls.map(({ sourceTag, onlyDependOnLibsWithTags }) =>
  only(sourceTag, [
    ...new Set([
      ...onlyDependOnLibsWithTags,
      'type:testing',
      'type:emulator',
      'type:adapter',
      'type:contract',
    ]),
  ]),
);

const boundaries = (depConstraints) => ({
  '@nx/enforce-module-boundaries': [
    'error',
    { enforceBuildableLibDependency: true, allow: [], depConstraints },
  ],
});

const noEnums = { selector: 'TSEnumDeclaration', message: 'A union of literals does.' };

export default tseslint.config(
  globalIgnores(['**/dist', '**/bundle', '**/out-tsc', '**/coverage', '.nx', '.twinkey']),
  { files: ['**/*.{js,mjs,ts}'], ...js.configs.recommended },
  { files: ['**/*.mjs'], languageOptions: { globals: globals.node } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: {
      parserOptions: { project: './tsconfig.lint.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      ...boundaries(walls),
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }], // Nest modules
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off', // Nest's option types are classes
      // There are no enums here (the rule below sees to that), and looking for them took a sixth of the time.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-enum-comparison': 'off',
      'no-restricted-syntax': ['error', noEnums],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `const { left, ...rest } = all` is how a field is left out.
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_' }],
    },
  },
  { files: ['**/*.spec.ts', '{apps,libs}/*/src/testing/**/*.ts'], rules: boundaries(wallsOfSpecs) },
  {
    // Cores can neither wait nor know the time: the boundary rule does not see built-ins and globals.
    files: ['libs/{account,rotation,key-switch,contracts}/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['node:*'], message: 'A core does no I/O.' }] },
      ],
      'no-restricted-globals': [
        'error',
        'process',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'fetch',
        'Buffer',
        'console',
      ],
      'no-restricted-syntax': [
        'error',
        noEnums,
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time is an argument.',
        },
        {
          selector: "MemberExpression[object.name='Date'][property.name='now']",
          message: 'Time is an argument.',
        },
        {
          selector: "MemberExpression[object.name='Math'][property.name='random']",
          message: 'Chance is an argument.',
        },
        { selector: 'AwaitExpression', message: 'A core never waits.' },
        {
          selector: 'FunctionDeclaration[async=true],ArrowFunctionExpression[async=true]',
          message: 'A core never waits.',
        },
      ],
    },
  },
  {
    files: ['**/package.json'],
    plugins: { '@nx': nx },
    languageOptions: { parser: jsonc },
    rules: {
      '@nx/dependency-checks': [
        'error',
        {
          buildTargets: ['build'],
          useLocalPathsForWorkspaceDependencies: false,
          ignoredDependencies: ['rxjs', 'reflect-metadata', 'tslib'],
          ignoredFiles: ['{projectRoot}/*.config.{js,mjs,ts}', '{projectRoot}/src/**/*.spec.ts'],
        },
      ],
    },
  },
);
