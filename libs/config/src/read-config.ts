import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { takesEmpty } from './settings';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of a configuration at once, a line each, each with the variable's name. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`configuration:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads the settings that the schema names from the environment. `<NAME>_FILE` gives a value by file (a secret
 * mounted by the platform); both at once is a fault. An empty value counts as not given, but for a list: there it is none.
 * @throws ConfigError
 */
export function readConfig<Schema extends z.ZodObject>(schema: Schema, environment: Environment): z.infer<Schema> {
  const faults: string[] = [];
  const given: Record<string, string> = {};
  for (const [name, setting] of Object.entries(schema.shape)) {
    const value = takesEmpty(setting) ? environment[name] : environment[name] || undefined;
    const file = environment[`${name}_FILE`] || undefined;
    if (value !== undefined && file !== undefined) {
      faults.push(`${name}: given twice, as ${name} and as ${name}_FILE`);
    } else if (file !== undefined) {
      try {
        given[name] = readFileSync(file, 'utf8').trimEnd();
      } catch (error) {
        faults.push(`${name}_FILE: ${(error as Error).message}`);
      }
    } else if (value !== undefined) {
      given[name] = value;
    }
  }
  const read = schema.safeParse(given);
  if (!read.success) {
    for (const { path, code, message } of read.error.issues) {
      const name = path.join('.');
      faults.push(`${name}: ${code === 'invalid_type' && !(name in given) ? 'is required' : message}`);
    }
  }
  if (faults.length > 0 || !read.success) throw new ConfigError(faults);
  return read.data;
}
