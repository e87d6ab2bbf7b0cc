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

test('what breaks clients of the last release is found, all of it', () => {
  edit(PROTO, /string subject = 4;/, 'string title = 4;');
  edit(PROTO, /string body = 5;/, 'string body = 55;');
  edit(PROTO, /int64 timestamp = 6;/, 'string timestamp = 6;');
  edit(PROTO, /^ *string request_ref = 4;$/m, '');
  edit(PROTO, /^ *rpc CancelEmail\(.*$/m, '');
  const { code, output } = check();
  expect(code).toBe(1);
  for (const fault of [
    /Field "4" on message "Email" changed name from "subject" to "title"/,
    /Previously present field "5" with name "body" on message "Email" was deleted/,
    /Field "6" with name "timestamp" on message "Email" changed type from "int64" to "string"/,
    /Previously present field "4" with name "request_ref" on message "SubmitEmailRequest" was deleted/,
    /Previously present RPC "CancelEmail" on service "MailService" was deleted/,
    /breaks clients of the last release/,
  ]) {
    expect(output).toMatch(fault);
  }
});

test('a new field breaks nothing, once the types are generated', () => {
  edit(PROTO, /string request_ref = 4;/, 'string request_ref = 4;\n  string campaign = 5;');
  expect(check().output).toContain('the types are not those of the contract: run npm run generate');
  regenerate();
  expect(check()).toEqual({ code: 0, output: '' });
});

test('a name that is not in the style is found', () => {
  edit(PROTO, /string request_ref = 4;/, 'string request_ref = 4;\n  string campaignName = 5;');
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
