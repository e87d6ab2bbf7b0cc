'use strict';

/** swc keeps the decorators' metadata that Nest injects by; types are checked by `tsc`, not here. */
const swc = [
  '@swc/jest',
  {
    swcrc: false,
    sourceMaps: 'inline',
    module: { type: 'commonjs' },
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
    },
  },
];

const project = {
  rootDir: __dirname,
  // Not what tools and started stacks leave below the root.
  roots: ['apps', 'libs', 'tools', 'test'].map((folder) => `<rootDir>/${folder}`),
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': swc },
  // `source` makes workspace packages resolve to their TypeScript, so that nothing has to be built before a test.
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  modulePathIgnorePatterns: ['/dist/', '<rootDir>/\\.'],
};

/** A PostgreSQL for all of its suites, a database for each. */
const onPostgres = {
  ...project,
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
};

module.exports = {
  testTimeout: 30_000,
  // Many tests wait for leases and clocks more than they compute; the default is one worker on two cores.
  maxWorkers: 3,
  reporters: ['default', '<rootDir>/test/tally.reporter.cjs'],
  projects: [
    {
      ...project,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts', '<rootDir>/test/{checks,http3}/**/*.spec.ts'],
    },
    { ...onPostgres, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.spec.ts'] },
    // Parts are ended, stopped or starved on purpose: mostly waiting for leases and deadlines.
    { ...onPostgres, displayName: 'outages', testMatch: ['<rootDir>/test/outages/**/*.spec.ts'] },
    { ...project, displayName: 'system', testMatch: ['<rootDir>/test/system/**/*.spec.ts'] },
    { ...onPostgres, displayName: 'edge', testMatch: ['<rootDir>/test/edge/**/*.spec.ts'] },
    { ...onPostgres, displayName: 'mesh', testMatch: ['<rootDir>/test/mesh/**/*.spec.ts'] },
  ],
};
