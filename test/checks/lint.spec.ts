import { PlantedFiles } from './planted-files';

interface Planted {
  rule: string;
  path: string;
  /** Breaks the rule, and no other. */
  bad: string;
  /** Where the text that keeps to the rule goes, if not beside it. */
  goodPath?: string;
  good: string;
}

const lines = (count: number) => Array.from({ length: count }, (_, at) => `export const line${at} = ${at};\n`).join('');
const READS_ENVIRONMENT = "export const home = (): string | undefined => process.env['HOME'];\n";
const UNION = "type State = 'queued' | 'sent';\n";

const planted: Planted[] = [
  {
    rule: '@typescript-eslint/no-floating-promises',
    path: 'libs/a/floating.ts',
    bad: 'export function start(): void {\n  Promise.resolve();\n}\n',
    good: 'export async function start(): Promise<void> {\n  await Promise.resolve();\n}\n',
  },
  {
    rule: '@typescript-eslint/no-misused-promises',
    path: 'libs/a/misused.ts',
    bad: 'export const all = (list: number[]): void => list.forEach(async () => Promise.resolve());\n',
    good: 'export const all = (list: number[]) => Promise.all(list.map(async () => Promise.resolve()));\n',
  },
  {
    rule: '@typescript-eslint/await-thenable',
    path: 'libs/a/await.ts',
    bad: 'export const one = async (): Promise<number> => await 1;\n',
    good: 'export const one = async (): Promise<number> => await Promise.resolve(1);\n',
  },
  {
    rule: '@typescript-eslint/consistent-type-imports',
    path: 'libs/a/type-import.ts',
    bad: "import { Server } from 'node:http';\n\nexport const open = (server: Server): boolean => server.listening;\n",
    good: "import type { Server } from 'node:http';\n\nexport const open = (server: Server): boolean => server.listening;\n",
  },
  {
    rule: '@typescript-eslint/switch-exhaustiveness-check',
    path: 'libs/a/switch.ts',
    bad: `${UNION}export function isSent(state: State): boolean {\n  switch (state) {\n    case 'sent':\n      return true;\n  }\n  return false;\n}\n`,
    good: `${UNION}export function isSent(state: State): boolean {\n  switch (state) {\n    case 'sent':\n      return true;\n    case 'queued':\n      return false;\n  }\n}\n`,
  },
  {
    rule: '@typescript-eslint/naming-convention',
    path: 'libs/a/prefix.ts',
    bad: 'export interface IEmail {\n  id: string;\n}\n',
    good: 'export interface Item {\n  id: string;\n}\n',
  },
  {
    rule: '@typescript-eslint/no-explicit-any',
    path: 'libs/a/any.ts',
    bad: 'export const nothing = (_value: any): void => undefined;\n',
    goodPath: 'libs/a/any.spec.ts',
    good: 'export const nothing = (_value: any): void => undefined;\n',
  },
  {
    rule: '@typescript-eslint/no-unsafe-return',
    path: 'libs/a/unsafe.ts',
    bad: 'export const read = (text: string): string[] => JSON.parse(text);\n',
    good: 'export const read = (text: string): string[] => JSON.parse(text) as string[];\n',
  },
  ...['apps/mail/src/emails/environment.store.ts', 'libs/a/environment.ts', 'tools/stack/environment.ts'].map((path) => ({
    rule: 'no-restricted-properties',
    path,
    bad: READS_ENVIRONMENT,
    goodPath: path.replace(/[^/]*$/, 'main.ts'),
    good: READS_ENVIRONMENT,
  })),
  {
    rule: 'no-restricted-properties',
    path: 'libs/a/environment-taken-apart.ts',
    bad: 'const { env } = process;\n\nexport const home = env;\n',
    goodPath: 'libs/a/environment.spec.ts',
    good: READS_ENVIRONMENT,
  },
  {
    rule: 'no-restricted-imports',
    path: 'libs/a/environment-imported.ts',
    bad: "import { env } from 'node:process';\n\nexport const home = env;\n",
    goodPath: 'apps/mail/src/migrate.ts',
    good: "import { env } from 'node:process';\n\nexport const home = env;\n",
  },
  {
    rule: 'no-restricted-exports',
    path: 'libs/a/default.ts',
    bad: 'export default class Email {}\n',
    good: 'export class Email {}\n',
  },
  {
    rule: 'max-lines',
    path: 'libs/a/long.ts',
    bad: lines(251),
    good: `// Comments do not count.\n\n${lines(250)}`,
  },
  {
    rule: 'no-restricted-syntax',
    path: 'apps/mail/src/emails/all.store.ts',
    bad: "export * from 'node:fs';\n",
    goodPath: 'libs/a/index.ts',
    good: "export * from 'node:fs';\n",
  },
  {
    rule: 'no-restricted-syntax',
    path: 'apps/mail/src/emails/index.ts',
    bad: "export { readFile } from 'node:fs';\n",
    good: "export { readFile } from 'node:fs';\n",
  },
  {
    rule: 'eqeqeq',
    path: 'libs/a/equal.ts',
    bad: 'export const same = (a: number, b: number): boolean => a == b;\n',
    good: 'export const same = (a: number, b: number): boolean => a === b;\n',
  },
  {
    rule: 'no-undef',
    path: 'tools/a/script.cjs',
    bad: "'use strict';\nconsole.log(nothing, __dirname);\n",
    good: "'use strict';\nconsole.log(require('node:os'), module.exports, process.argv, __dirname);\n",
  },
];
const goodPathOf = ({ path, goodPath }: Planted) => goodPath ?? path.replace(/[^/]*$/, (name) => `good-${name}`);

/** Nest injects by the metadata of these types: `import type` would leave nothing to inject. */
const INJECTED = `import { Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

@Injectable()
export class Scopes {
  constructor(readonly reflector: Reflector) {}
}
`;

const files = new PlantedFiles();
let found: Map<string, string[]>;

beforeAll(() => {
  files.link();
  files.copy('eslint.config.mjs', 'tsconfig.base.json', 'tsconfig.lint.json');
  for (const plant of planted) files.write({ [plant.path]: plant.bad, [goodPathOf(plant)]: plant.good });
  files.write({
    'apps/mail/src/emails/scopes.guard.ts': INJECTED,
    'libs/a/generated/a.ts': 'export default (_value: any): void => undefined;\n',
    'libs/a/dist/a.js': 'nothing();\n',
  });
  const { output } = files.run('eslint', '.', '--format', 'json');
  const results = JSON.parse(output) as { filePath: string; messages: { ruleId: string | null; message: string }[] }[];
  const relative = (path: string) => path.slice(path.indexOf('planted-')).replace(/^[^/]*\//, '');
  found = new Map(results.map(({ filePath, messages }) => [relative(filePath), messages.map(({ ruleId, message }) => ruleId ?? message)]));
});
afterAll(() => files.remove());

test.each(planted.map((plant) => [plant.rule, plant.path, plant] as const))(
  '%s is found in %s, and not where it is kept',
  (rule, path, plant) => {
    expect(found.get(path)).toEqual([rule]);
    expect(found.get(goodPathOf(plant))).toEqual([]);
  },
);

test('the import of a class that Nest injects is left as it is', () => {
  expect(found.get('apps/mail/src/emails/scopes.guard.ts')).toEqual([]);
});

test('generated and built files are not looked at', () => {
  expect([...found.keys()].filter((path) => /generated|dist/.test(path))).toEqual([]);
});
