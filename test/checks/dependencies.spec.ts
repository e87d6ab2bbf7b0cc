import { PlantedFiles } from './planted-files';

interface Planted {
  rule: string;
  /** Files, each with what it imports. */
  bad: Record<string, string[]>;
  good: Record<string, string[]>;
}

const RULE = 'rules-know-no-wire-and-no-driver';
const DRIVERS = [
  '@grpc/grpc-js',
  '@nestjs/microservices',
  '@nestjs/platform-fastify',
  '@nestjs/typeorm',
  'fastify',
  'typeorm',
  'pg',
  'nodemailer',
  '@elastic/elasticsearch',
];
const word = (name: string) => name.replace(/[^a-z]/g, '');

const planted: Planted[] = [
  {
    rule: 'no-cycles',
    bad: { 'libs/proto/src/circle-too.ts': ['./circle'] },
    good: { 'libs/proto/src/line.ts': ['./line-too'], 'libs/proto/src/line-too.ts': ['node:fs'] },
  },
  {
    rule: 'apps-do-not-import-apps',
    bad: { 'apps/api-gateway/src/mail/mail.neighbour.ts': ['../../../mail/src/emails/email-id'] },
    good: { 'apps/mail/src/delivery/mail.neighbour.ts': ['../emails/email-id'] },
  },
  {
    rule: 'libs-do-not-import-apps',
    bad: { 'libs/grpc/src/app.client.ts': ['../../../apps/mail/src/emails/email-id'] },
    good: { 'libs/grpc/src/lib.client.ts': ['@sky-genesis/proto'], 'tools/stack/app.starter.ts': ['../../apps/mail/src/emails/email-id'] },
  },
  {
    rule: 'product-does-not-import-tools-or-tests',
    bad: {
      'apps/mail/src/emails/tools.store.ts': ['../../../../tools/stack/stack'],
      'apps/mail/src/emails/fixture.store.ts': ['./emails.fixture'],
      'libs/grpc/src/test.client.ts': ['../../../test/stack'],
    },
    good: { 'apps/mail/src/emails/fixture.spec.ts': ['./emails.fixture'], 'libs/grpc/src/test.spec.ts': ['../../../test/stack'] },
  },
  ...DRIVERS.map((driver) => ({
    rule: RULE,
    bad: { [`apps/mail/src/emails/rule-${word(driver)}.ts`]: [driver] },
    good: { [`apps/mail/src/emails/${word(driver)}.store.ts`]: [driver] },
  })),
  {
    rule: RULE,
    bad: {
      'apps/mail/src/emails/accept-email.ts': ['@sky-genesis/grpc'],
      'apps/mail/src/emails/deeper/accept.ts': ['pg'],
      'apps/mail/src/emails/find-email.ts': ['@sky-genesis/database'],
    },
    good: {
      'apps/mail/src/emails/check-email.ts': ['@sky-genesis/grpc/rule-error', '@sky-genesis/grpc/caller'],
      'apps/mail/src/emails/write-email.ts': ['@sky-genesis/database/group-commit'],
      'apps/mail/src/start-mail.ts': ['@sky-genesis/grpc'],
    },
  },
  {
    rule: 'gateway-has-no-database',
    bad: { 'apps/api-gateway/src/mail/mail.store.ts': ['pg'], 'apps/api-gateway/src/mail/mail.entity.ts': ['typeorm'] },
    good: { 'apps/api-gateway/src/mail/mail.hook.ts': ['fastify'] },
  },
  {
    rule: 'no-orphans',
    bad: { 'libs/grpc/src/left-over.ts': [], 'tools/stack/left-over.ts': [] },
    good: { 'tools/stack/main.ts': [], 'tools/stack/required.ts': [], 'tools/stack/programs.ts': ['./stack'] },
  },
  {
    rule: 'no-dev-dependencies',
    bad: { 'libs/grpc/src/dev.client.ts': ['only-for-tests'] },
    good: { 'libs/grpc/src/dev.spec.ts': ['only-for-tests'] },
  },
  {
    rule: 'no-unlisted-dependencies',
    bad: { 'libs/grpc/src/lucky.client.ts': ['nodemailer'], 'apps/mail/src/emails/lucky.store.ts': ['only-here'] },
    good: { 'libs/grpc/src/lucky.spec.ts': ['nodemailer'] },
  },
  {
    rule: 'no-unresolved',
    bad: { 'libs/grpc/src/nowhere.client.ts': ['./nowhere'], 'libs/grpc/src/subpath.client.ts': ['@sky-genesis/proto/nowhere'] },
    good: { 'libs/grpc/src/somewhere.client.ts': ['./index'] },
  },
  ...['utils', 'util', 'helpers', 'helper', 'common', 'core', 'shared', 'misc', 'types', 'interfaces'].map((name) => ({
    rule: 'no-dump-folders',
    bad: { [`apps/mail/src/${name}/id.ts`]: ['node:crypto'], [`libs/grpc/${name}/deeper/id.ts`]: ['node:crypto'] },
    good: { [`apps/mail/src/${name}-of-mail/id.ts`]: ['node:crypto'] },
  })),
];

/** What the planted files import. */
const packages: Record<string, object> = {
  'package.json': { name: 'root', workspaces: ['apps/*', 'libs/*'], devDependencies: { 'only-here': '1' } },
  'apps/mail/package.json': {
    name: '@sky-genesis/mail',
    dependencies: dependencies(...DRIVERS, '@sky-genesis/grpc', '@sky-genesis/database'),
  },
  'apps/api-gateway/package.json': { name: '@sky-genesis/api-gateway', dependencies: dependencies('pg', 'typeorm', 'fastify') },
  'libs/grpc/package.json': {
    name: '@sky-genesis/grpc',
    exports: { '.': source('index'), './caller': source('caller'), './rule-error': source('rule-error') },
    dependencies: dependencies('@sky-genesis/proto'),
    devDependencies: dependencies('only-for-tests'),
  },
  'libs/database/package.json': {
    name: '@sky-genesis/database',
    exports: { '.': source('index'), './group-commit': source('group-commit') },
  },
  'libs/proto/package.json': { name: '@sky-genesis/proto', exports: { '.': source('index') } },
};
const imported: Record<string, string[]> = {
  'apps/mail/src/emails/email-id.ts': ['node:crypto'],
  'apps/mail/src/emails/emails.fixture.ts': ['node:fs'],
  'libs/grpc/src/index.ts': ['./caller', './rule-error'],
  'libs/grpc/src/caller.ts': ['node:fs'],
  'libs/grpc/src/rule-error.ts': ['node:fs'],
  'libs/database/src/index.ts': ['./group-commit'],
  'libs/database/src/group-commit.ts': ['node:fs'],
  'libs/proto/src/index.ts': ['node:fs'],
  // The other half of a cycle, which is told once.
  'libs/proto/src/circle.ts': ['./circle-too'],
  'test/stack.ts': ['node:fs'],
  'tools/stack/stack.ts': ['node:fs'],
};

function dependencies(...names: string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, '1.0.0']));
}
function source(name: string): object {
  return { source: `./src/${name}.ts`, default: `./dist/${name}.js` };
}
const sourceOf = (imports: string[]) =>
  [...imports.map((path) => `import type * as ${word(path)} from '${path}';\nimport '${path}';`), 'export const here = true;', ''].join(
    '\n',
  );

const files = new PlantedFiles();
let violations: { rule: string; from: string }[];

beforeAll(() => {
  files.copy('.dependency-cruiser.cjs');
  for (const [path, text] of Object.entries(packages)) files.write({ [path]: JSON.stringify(text) });
  for (const name of [...DRIVERS, 'only-for-tests', 'only-here']) {
    const folder = `node_modules/${name}`;
    files.write({
      [`${folder}/package.json`]: JSON.stringify({ name, main: 'index.js' }),
      [`${folder}/index.js`]: 'exports.here = true;\n',
    });
  }
  files.linkWithin('libs/grpc', 'node_modules/@sky-genesis/grpc');
  files.linkWithin('libs/database', 'node_modules/@sky-genesis/database');
  files.linkWithin('libs/proto', 'node_modules/@sky-genesis/proto');
  for (const sources of [imported, ...planted.flatMap(({ bad, good }) => [bad, good])]) {
    for (const [path, imports] of Object.entries(sources)) files.write({ [path]: sourceOf(imports) });
  }
  files.write({ 'tools/stack/loader.ts': "import 'node:fs';\nexport const file = require.resolve('./required');\n" });
  const { output } = files.run('depcruise', 'apps', 'libs', 'tools', '--config', '.dependency-cruiser.cjs', '--output-type', 'json');
  const { summary } = JSON.parse(output) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  violations = summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
});
afterAll(() => files.remove());

test.each(planted.map(({ rule, bad, good }) => [rule, Object.keys(bad), Object.keys(good)] as const))(
  '%s is found in %j and not in %j',
  (rule, bad, good) => {
    for (const path of bad) expect(violations.filter(({ from }) => from === path).map((violation) => violation.rule)).toContain(rule);
    expect(violations.filter(({ from }) => good.includes(from))).toEqual([]);
  },
);

test('every rule has a planted violation', () => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the config itself
  const { forbidden } = require('../../.dependency-cruiser.cjs') as { forbidden: { name: string; severity: string }[] };
  expect(forbidden.map(({ name }) => name).sort()).toEqual([...new Set(planted.map(({ rule }) => rule))].sort());
  expect(forbidden.filter(({ severity }) => severity !== 'error')).toEqual([]);
});

test('nothing but what was planted is found', () => {
  const bad = planted.flatMap((plant) => Object.keys(plant.bad).map((from) => `${plant.rule} ${from}`));
  expect(violations.map(({ rule, from }) => `${rule} ${from}`).filter((violation) => !bad.includes(violation))).toEqual([]);
});
