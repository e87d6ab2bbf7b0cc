import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const TESTS = ['**/*.spec.ts', '**/*.fixture.ts', 'test/**/*.ts', 'apps/*/testing/**/*.ts'];
const ENTRY_FILES = ['**/main.ts', '**/migrate.ts', '**/reindex.ts', '**/search-rebuild.ts'];

const noEnvironment = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'Configuration is read once: take a setting from the config of the app.' },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['process', 'node:process'].map((name) => ({
        name,
        importNames: ['env'],
        message: 'Configuration is read once, in main.ts.',
      })),
    },
  ],
};

/** Floating and misused promises lose errors silently; the rest keeps the code in one style. */
const typeScript = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/naming-convention': [
    'error',
    { selector: 'interface', format: ['PascalCase'], custom: { regex: '^I[A-Z]', match: false } },
  ],
  // Calls assertions unnecessary that tsc needs (index signatures under noUncheckedIndexedAccess).
  '@typescript-eslint/no-unnecessary-type-assertion': 'off',
  // tsc tells of unused names already (noUnusedLocals), and knows decorators.
  '@typescript-eslint/no-unused-vars': 'off',
  // A Nest module is a class without members.
  '@typescript-eslint/no-extraneous-class': 'off',
  'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true } }],
  'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
  eqeqeq: 'error',
};

const noBarrels = ['error', { selector: 'ExportAllDeclaration', message: 'No barrels inside apps: import from the file that has it.' }];

export default defineConfig(
  globalIgnores(['**/dist/', '**/generated/', '**/coverage/', '.data/', '.provision/', 'docs/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      // One program over all sources, without references: no package has to be built before.
      parserOptions: { project: 'tsconfig.lint.json', tsconfigRootDir: dirname(fileURLToPath(import.meta.url)) },
    },
    rules: { ...typeScript, ...noEnvironment },
  },
  { files: ENTRY_FILES, rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' } },
  { files: ['apps/**/*.ts'], rules: { 'no-restricted-syntax': noBarrels } },
  {
    files: ['apps/**/index.ts'],
    rules: { 'no-restricted-syntax': ['error', { selector: 'Program', message: 'No barrels inside apps: there is no index.ts.' }] },
  },
  {
    // Tests look into what they are given: replies, rows, private parts.
    files: TESTS,
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  // Jest calls what these export by default.
  { files: ['test/global-*.ts'], rules: { 'no-restricted-exports': 'off' } },
  { files: ['bench/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: ['**/*.cjs', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(
        ['Buffer', 'console', 'process', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'URL', 'fetch'].map((name) => [
          name,
          'readonly',
        ]),
      ),
    },
  },
  { files: ['**/*.cjs'], languageOptions: { sourceType: 'commonjs', globals: { __dirname: 'readonly', __filename: 'readonly' } } },
  prettier,
);
