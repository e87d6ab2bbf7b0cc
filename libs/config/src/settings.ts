import { z } from 'zod';

/** `true` or `false`, where the default depends on other settings. */
export const optionalFlag = () => z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] }).optional();

/** `true` or `false`. */
export const flag = (byDefault: boolean) => z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] }).default(byDefault);

/** A whole number within bounds, both included. */
export const integer = (min: number, max: number, byDefault: number) =>
  z
    .string()
    .regex(/^-?\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(byDefault);

/** A TCP port; 0 lets the system choose a free one. */
export const port = (byDefault: number) => integer(0, 65_535, byDefault);

const TAKES_EMPTY = { takesEmpty: true };

/** A comma-separated list; an empty value is one, too: of nothing. */
export const listOf = (byDefault: readonly string[]) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .default([...byDefault])
    .meta(TAKES_EMPTY);

/** Whether an empty value says something, other than that none is given. */
export const takesEmpty = (setting: unknown): boolean => (setting as z.ZodType).meta()?.takesEmpty === true;

/** Text that may be left out; an empty value counts as left out. */
export const optional = () => z.string().optional();

/** One line of the settings table and of `.env.example`. */
export interface SettingDescription {
  name: string;
  byDefault: string;
  description: string;
}

/** What the documents say of each setting; a setting without a description is a defect that a test finds. */
export function describeSettings(schema: z.ZodObject): SettingDescription[] {
  return Object.entries(schema.shape).map(([name, setting]) => {
    const { data, success } = (setting as z.ZodType<string | number | boolean | string[] | undefined>).safeParse(undefined);
    return {
      name,
      byDefault: success && data !== undefined ? data.toString() : '',
      description: (setting as z.ZodType).description ?? '',
    };
  });
}
