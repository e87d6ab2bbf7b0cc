import { z } from 'zod';

/** An int64 of the contract: JSON numbers hold it. */
export const int64 = () => z.int().min(0);

const onceOr =
  (message: string) =>
  ({ input }: { input: unknown }) =>
    Array.isArray(input) ? 'may be given once' : message;

export const queryText = () => z.string({ error: onceOr('must be text') }).optional();

/** A parameter that may be given more than once: its values, in order. */
export const repeatedText = () =>
  z.preprocess((given) => (given === undefined ? undefined : [given].flat()), z.array(z.string()).optional());

export const queryNumber = (max: number) =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text),
    z
      .int({ error: onceOr('must be a whole number') })
      .min(0)
      .max(max)
      .optional(),
  );

/** The largest that an int32 of the contract holds. */
export const INT32_MAX = 2_147_483_647;
