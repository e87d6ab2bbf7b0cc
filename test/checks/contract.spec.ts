import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PlantedFiles } from './planted-files';

const PROTO = 'libs/proto/sky_genesis.proto';
const TYPES = 'libs/proto/src/generated/sky_genesis.ts';

let files: PlantedFiles;
beforeEach(() => {
  files = new PlantedFiles();
  files.copy('buf.yaml', 'buf.gen.yaml', 'tools/contract/check', PROTO, 'libs/proto/src/generated');
  files.copy('libs/proto/descriptors.binpb', 'libs/proto/released.binpb', 'node_modules/grpc-health-check/proto');
  files.link('node_modules/.bin');
});
afterEach(() => files.remove());

function edit(path: string, from: string | RegExp, to: string): void {
  const before = readFileSync(join(files.folder, path), 'utf8');
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  files.write({ [path]: after });
}
const check = () => files.run('tools/contract/check');
const regenerate = () => {
  files.run('buf', 'generate');
  files.run('buf', 'build', '--as-file-descriptor-set', '-o', 'libs/proto/descriptors.binpb');
};

test('the contract as it is passes', () => {
  expect(check()).toEqual({ code: 0, output: '' });
});

test.each([
  ['a renamed field', /string subject = 4;/, 'string title = 4;'],
  ['another number', /string body = 5;/, 'string body = 55;'],
  ['a field that is gone', /^ *string request_ref = 4;$/m, ''],
  ['an RPC that is gone', /^ *rpc CancelEmail\(.*$/m, ''],
  ['another type', /int64 timestamp = 6;/, 'string timestamp = 6;'],
])('%s breaks clients of the last release', (_what, from, to) => {
  edit(PROTO, from, to);
  regenerate();
  const { code, output } = check();
  expect(code).toBe(1);
  expect(output).toContain('breaks clients of the last release');
  expect(output).not.toContain('npm run generate');
});

test('a new field breaks nothing, once the types are generated', () => {
  edit(PROTO, /string request_ref = 4;/, 'string request_ref = 4;\n  string campaign = 5;');
  expect(check().output).toContain('the types are not those of the contract: run npm run generate');
  regenerate();
  expect(check()).toEqual({ code: 0, output: '' });
});

test('a name that is not in the style is found', () => {
  edit(PROTO, /string request_ref = 4;/, 'string request_ref = 4;\n  string campaignName = 5;');
  regenerate();
  const { code, output } = check();
  expect(code).toBe(1);
  expect(output).toMatch(/campaignName.*lower_snake_case/);
});

test('an edited generated file is found', () => {
  edit(TYPES, /subject: string;/, 'subject: string | undefined;');
  const { code, output } = check();
  expect(code).toBe(1);
  expect(output).toContain('the types are not those of the contract: run npm run generate');
  expect(output).not.toContain('breaks');
});

test('descriptors of another contract are found: a comment is enough', () => {
  edit(PROTO, '// Newest first.', '// The newest first.');
  files.run('buf', 'generate');
  const { code, output } = check();
  expect(code).toBe(1);
  expect(output.trim()).toBe('contract: descriptors.binpb is not that of the contract: run npm run generate');
});
