import type { native } from '@matrixai/quic';

export type Quiche = native.Connection;

/**
 * quiche, a QUIC implementation, as npm `@matrixai/quic` binds it. Taken from the package for this platform: the one around it
 * can only be imported from ES modules.
 */
// eslint-disable-next-line @typescript-eslint/no-require-imports -- a native module
export const { Config, Connection } = require(`@matrixai/quic-${process.platform}-${process.arch}`) as typeof native.quiche;
