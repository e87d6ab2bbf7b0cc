export * from './generated/sky_genesis';
export type { Any } from './generated/google/protobuf/any';
export { loadPackage } from './load-package';
