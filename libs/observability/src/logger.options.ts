import { type LoggerOptions, stdTimeFunctions } from 'pino';
import type { ObservabilitySettings } from './observability.settings';

/** What all lines of an app have in common: JSON on standard output, with the app's name, the level as a word, ISO time. */
export const loggerOptions = (name: string, { LOG_LEVEL }: ObservabilitySettings) =>
  ({
    level: LOG_LEVEL,
    base: { name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  }) satisfies LoggerOptions;
