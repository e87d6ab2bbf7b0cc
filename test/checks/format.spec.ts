import { PlantedFiles } from './planted-files';

const files = new PlantedFiles();
const tidy = "export const word = 'sent';\n";

beforeAll(() => {
  files.copy('.prettierrc.json', '.prettierignore');
  files.write({
    'tidy.ts': tidy,
    'wide.ts': `export const word =   "sent"\n`,
    'libs/proto/src/generated/wide.ts': `export const word =   "sent"\n`,
  });
});
afterAll(() => files.remove());

test('a file that is not formatted is named, others and generated ones are not', () => {
  const { code, output } = files.run('prettier', '--check', '--log-level', 'warn', '.');
  expect(code).toBe(1);
  expect(output).toContain('wide.ts');
  expect(output).not.toContain('tidy.ts');
  expect(output).not.toContain('generated');
});

test('formatted files pass', () => {
  files.write({ 'wide.ts': tidy });
  expect(files.run('prettier', '--check', '--log-level', 'warn', '.')).toMatchObject({ code: 0, output: '' });
});
