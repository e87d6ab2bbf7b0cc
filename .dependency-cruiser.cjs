'use strict';

/** A package, wherever it is installed. */
const packages = (...names) => names.map((name) => `(^|/)node_modules/${name}/`);

/** A file under a feature of an app whose name has no role (`accept-email.ts`, not `email.store.ts`) is a rule. */
const RULE_FILE = '^apps/[^/]+/src/.+/[^/.]+\\.ts$';
const TEST_FILE = '(\\.(spec|fixture)\\.ts$)|(^apps/[^/]+/testing/)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or lack a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'apps-do-not-import-apps',
      comment: 'Apps meet on the wire, and share code through libs.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-do-not-import-apps',
      comment: 'A lib knows nothing of who uses it.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'product-does-not-import-tools-or-tests',
      comment: 'What is shipped stands without what is around it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TEST_FILE },
      to: { path: ['^(tools|test|bench)/', TEST_FILE] },
    },
    {
      name: 'rules-know-no-wire-and-no-driver',
      comment:
        'A rule is plain TypeScript; stores, clients and controllers have a role in their name. Of @sky-genesis/grpc: rule-error, caller, beyond-call, answered-stream and in-flight; of @sky-genesis/database: group-commit.',
      severity: 'error',
      from: { path: RULE_FILE },
      to: {
        path: [
          ...packages('@grpc/grpc-js', '@nestjs/microservices', '@nestjs/platform-fastify', '@nestjs/typeorm'),
          ...packages('fastify', 'typeorm', 'pg', 'nodemailer', '@elastic/elasticsearch', '@aws-sdk/[^/]+', '@smithy/[^/]+'),
          '^libs/grpc/(?!src/(rule-error|caller|beyond-call|answered-stream|in-flight)\\.ts$)',
          '^libs/database/(?!src/(group-commit|database\\.settings)\\.ts$)',
        ],
      },
    },
    {
      name: 'gateway-has-no-database',
      comment: 'The gateway translates; data is behind the services.',
      severity: 'error',
      from: { path: '^apps/api-gateway/' },
      to: { path: packages('typeorm', '@nestjs/typeorm', 'pg', '@elastic/elasticsearch') },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that imports nothing is left over.',
      severity: 'error',
      from: { orphan: true, path: '^(apps|libs|tools)/.+\\.ts$', pathNot: ['\\.d\\.ts$', '/main\\.ts$'] },
      to: {},
    },
    {
      name: 'no-dev-dependencies',
      comment: 'What apps and libs import at run time is in their own dependencies.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TEST_FILE },
      to: { dependencyTypes: ['npm-dev', 'npm-optional'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-unlisted-dependencies',
      comment: 'A package is listed in the package.json beside it, or found by luck.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TEST_FILE },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that leads nowhere fails at run time.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dump-folders',
      comment: 'Feature first, then role: a folder says what its files are about.',
      severity: 'error',
      module: {
        path: '^(apps|libs|tools|test|bench)/(.+/)?(utils?|helpers?|common|core|shared|misc|types|interfaces)/',
        numberOfDependentsLessThan: 100,
      },
      from: {},
    },
  ],
  options: {
    doNotFollow: { path: '(^|/)node_modules/' },
    exclude: { path: '(^|/)(dist|generated)/' },
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    // A file that `node --require` loads is named in this way.
    exoticRequireStrings: ['require.resolve'],
    // As in tsconfig.base.json: workspace packages resolve to their sources.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
      extensions: ['.ts', '.d.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
