import { StreamIds } from './stream-ids';

test('ids come in order, as many as the limit allows, the others when it rises', async () => {
  let limit = 2;
  const opened: number[] = [];
  const ids = new StreamIds(
    0,
    () => limit - opened.length,
    (id) => opened.push(id),
  );
  const taken = [ids.take(), ids.take(), ids.take(), ids.take()];
  expect(await Promise.all(taken.slice(0, 2))).toEqual([0, 4]);
  expect(opened).toEqual([0, 4]);
  limit = 3;
  ids.admit();
  expect(await taken[2]).toBe(8);
  const error = new Error('over');
  ids.fail(error);
  await expect(taken[3]).rejects.toBe(error);
});
