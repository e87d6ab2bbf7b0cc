import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type ConfigError, readConfig } from './read-config';
import { flag, integer, listOf, optional, port } from './settings';

const schema = z.object({
  PORT: port(3000),
  ITEMS: listOf(['a', 'b']),
  OPEN: flag(false),
  SIZE_BYTES: integer(1, 10, 5),
  SECRET: optional(),
});

const faultsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(schema, environment);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

test('an empty environment gives the defaults', () => {
  expect(readConfig(schema, {})).toEqual({ PORT: 3000, ITEMS: ['a', 'b'], OPEN: false, SIZE_BYTES: 5 });
});

test('values are read and converted', () => {
  expect(readConfig(schema, { PORT: '0', ITEMS: 'x, y', OPEN: 'true', SIZE_BYTES: '10', SECRET: 's' })).toEqual({
    PORT: 0,
    ITEMS: ['x', 'y'],
    OPEN: true,
    SIZE_BYTES: 10,
    SECRET: 's',
  });
});

test('an empty value is the default, but of a list it is the empty one', () => {
  expect(readConfig(schema, { PORT: '', ITEMS: '' })).toMatchObject({ PORT: 3000, ITEMS: [] });
});

test('all faults are reported at once, each by the name of its variable', () => {
  const faults = faultsOf({ PORT: '70000', OPEN: 'perhaps', SIZE_BYTES: '1.5' });
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'OPEN', 'SIZE_BYTES']);
});

test('what is missing is said to be required', () => {
  expect(() => readConfig(z.object({ NEEDED: z.string() }), {})).toThrow('NEEDED: is required');
});

test('a value may come from a file, without its last line end', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'secret');
  writeFileSync(file, 'from a file\n');
  expect(readConfig(schema, { SECRET_FILE: file }).SECRET).toBe('from a file');
});

test('a file that cannot be read, and a value given twice, are faults', () => {
  expect(faultsOf({ SECRET_FILE: '/nowhere/secret' })[0]).toContain('SECRET_FILE');
  expect(faultsOf({ SECRET: 's', SECRET_FILE: '/nowhere/secret' })[0]).toContain('given twice');
});
