import { isReflecting } from './service.settings';

test.each([
  ['development', undefined, true],
  ['test', undefined, true],
  ['production', undefined, false],
  ['production', true, true],
  ['development', false, false],
] as const)('reflection with NODE_ENV=%s and GRPC_REFLECTION=%s: %p', (NODE_ENV, GRPC_REFLECTION, told) => {
  expect(isReflecting({ NODE_ENV, GRPC_REFLECTION })).toBe(told);
});
