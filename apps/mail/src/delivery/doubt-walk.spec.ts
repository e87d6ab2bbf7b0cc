import { type DoubtPage, DoubtWalk } from './doubt-walk';

const place = (emailId: string) => ({ startedAt: '2026-01-02 03:04:05.678901+00', emailId });
const found = (count: number, oldestId: string) => ({ count, oldestId, oldestSeconds: 9 });

test('what all pages found is told until the next walk is done; what was resolved meanwhile is gone then', async () => {
  const pages: DoubtPage[] = [
    { overdue: undefined, next: place('a') },
    { overdue: found(2, 'b'), next: place('c') },
    { overdue: found(3, 'd'), next: undefined },
    { overdue: found(1, 'b'), next: place('c') },
    { overdue: undefined, next: undefined },
    { overdue: undefined, next: undefined },
  ];
  const asked: (string | undefined)[] = [];
  const walk = new DoubtWalk((after) => {
    asked.push(after?.emailId);
    return Promise.resolve(pages.shift() as DoubtPage);
  });
  const told = [];
  while (pages.length > 0) told.push(await walk.step());
  expect(told).toEqual([undefined, found(2, 'b'), found(5, 'b'), found(5, 'b'), found(1, 'b'), undefined]);
  expect(asked).toEqual([undefined, 'a', 'c', undefined, 'c', undefined]);
});

test('a page that could not be read is read again', async () => {
  const asked: (string | undefined)[] = [];
  const answers = [{ overdue: undefined, next: place('a') }, new Error('away'), { overdue: found(1, 'b'), next: undefined }];
  const walk = new DoubtWalk((after) => {
    asked.push(after?.emailId);
    const answer = answers.shift() as DoubtPage | Error;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  });
  await walk.step();
  await expect(walk.step()).rejects.toThrow('away');
  expect(await walk.step()).toEqual(found(1, 'b'));
  expect(asked).toEqual([undefined, 'a', 'a']);
});
