import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { describeWith } from './provisioned';

const ROOT = resolve(__dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/go');
const ENVIRONMENT = {
  ...process.env,
  GOTOOLCHAIN: 'local',
  PATH: [join(ROOT, 'node_modules/.bin'), process.env['PATH']].join(delimiter),
};

/** All that a tool prints. */
function run(folder: string, tool: string, ...args: string[]): string {
  const { stdout, stderr, error } = spawnSync(tool, args, { cwd: folder, env: ENVIRONMENT, encoding: 'utf8' });
  if (error) throw error;
  return stdout + stderr;
}

describeWith('go-http3')('what is written in Go', () => {
  test('the messages and clients of the example are those of the contract', () => {
    const fresh = mkdtempSync(join(tmpdir(), 'sge-go-'));
    try {
      expect(run(EXAMPLE, 'buf', 'generate', '--output', fresh)).toBe('');
      // Otherwise: npm run generate:go
      expect(run(EXAMPLE, 'diff', '--recursive', '--brief', 'generated', join(fresh, 'generated'))).toBe('');
    } finally {
      rmSync(fresh, { recursive: true });
    }
  }, 120_000);

  test.each(['examples/go', 'test/edge/go-http3', 'test/mesh/go-compression'])('%s is as gofmt formats it', (folder) => {
    expect(run(ROOT, 'gofmt', '-l', folder)).toBe('');
  });
});
