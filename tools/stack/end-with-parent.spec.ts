import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from './process-identity';

const PARENT = `
  const { spawn } = require('node:child_process');
  const source = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => undefined, 1000); console.log('up')";
  const args = ['--require', ${JSON.stringify(require.resolve('./end-with-parent'))}, '-e', source];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  child.stdout.once('data', () => console.log(child.pid));
`;

test('a program of the stack ends when the stack is killed', async () => {
  const parent = spawn(process.execPath, ['-e', PARENT], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  expect(processIdentity(pid)).toBeDefined();
  parent.kill('SIGKILL');
  while (processIdentity(pid) !== undefined) await sleep(10);
});

test('a program that is done ends by itself', async () => {
  const child = spawn(process.execPath, ['--require', require.resolve('./end-with-parent'), '-e', '0'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  expect(await once(child, 'exit')).toEqual([0, null]);
});
