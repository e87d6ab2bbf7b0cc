import { closeSync, mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFile } from './log-file';

const folder = mkdtempSync(join(tmpdir(), 'log-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a run is told by its own last lines', () => {
  const log = new LogFile(join(folder, 'a.log'));
  const file = log.openToAppend();
  writeSync(file, 'of an earlier run\n');
  const start = log.size();
  writeSync(file, `one\n\ntwo\n${'x'.repeat(600)}\nfour\n`);
  expect(log.lastLines(3, start)).toEqual(['two', `${'x'.repeat(500)} ...`, 'four']);
  expect(log.lastLines(9, start)).toHaveLength(4);
  closeSync(file);
});

test('it stays bounded while a program writes on', () => {
  const log = new LogFile(join(folder, 'b.log'), 1000);
  const file = log.openToAppend();
  writeSync(file, 'x'.repeat(1001));
  log.bound();
  writeSync(file, 'after');
  closeSync(file);
  expect(readFileSync(log.path, 'utf8')).toBe('after');
  expect(readFileSync(`${log.path}.1`, 'utf8')).toHaveLength(1001);
  expect(log.lastLines(1, 1001)).toEqual(['after']);
});
