import { callContext } from '@sky-genesis/grpc/call-context';
import { SharedReads } from './shared-reads';

/** A read that ends when it is told to. */
function held<T>() {
  let begun = 0;
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const work = () => {
    begun++;
    return promise;
  };
  return { work, resolve, reject, begun: () => begun };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('the same read, asked for while it goes on, is made once; asked for later, again', async () => {
  const reads = new SharedReads<number>(2);
  const one = held<number>();
  const both = [reads.read('a', one.work), reads.read('a', one.work)];
  one.resolve(1);
  expect(await Promise.all(both)).toEqual([1, 1]);
  expect(one.begun()).toBe(1);
  expect(await reads.read('a', one.work)).toBe(1);
  expect(one.begun()).toBe(2);
});

test('so many go on at a time; the others in the order they came, also after one that fails', async () => {
  const reads = new SharedReads<number>(2);
  const all = [held<number>(), held<number>(), held<number>(), held<number>()];
  const answers = all.map(({ work }, key) => reads.read(String(key), work));
  await turn();
  const begun = () => all.map((each) => each.begun());
  expect(begun()).toEqual([1, 1, 0, 0]);
  all[1]!.reject(new Error('failed'));
  await expect(answers[1]).rejects.toThrow('failed');
  await turn();
  expect(begun()).toEqual([1, 1, 1, 0]);
  for (const each of all) each.resolve(1);
  expect((await Promise.allSettled(answers)).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
  const more = held<number>();
  void reads.read('5', more.work);
  await turn();
  expect(more.begun()).toBe(1);
});

test('a read is in no call, whichever call asked for it first', async () => {
  const reads = new SharedReads<unknown>(1);
  const ask = (key: string) => reads.read(key, () => turn().then(() => callContext.getStore()));
  const call = { requestId: 'a call', signal: new AbortController().signal, deadline: 0 };
  // The second waits for the first one's turn to end.
  expect(await callContext.run(call, () => Promise.all([ask('a'), ask('b')]))).toEqual([undefined, undefined]);
});
