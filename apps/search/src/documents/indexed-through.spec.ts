import { callContext } from '@sky-genesis/grpc/call-context';
import { IndexedThrough } from './indexed-through';

test('what it asks for all is in no call, whichever call asked first', async () => {
  const seen: unknown[] = [];
  const through = new IndexedThrough({ checkpoints: () => Promise.resolve(seen.push(callContext.getStore())).then(() => []) });
  const call = { requestId: 'a call', signal: new AbortController().signal, deadline: 0 };
  expect(await callContext.run(call, () => through.read())).toBe(0);
  expect(seen).toEqual([undefined]);
});
