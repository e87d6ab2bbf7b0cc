import { EngineUnavailableError } from '../engines/search.engine';
import { callerOf, serviceCaller } from './caller.fixture';
import { draftOf } from './document.fixture';
import { FakeEngine } from './engine.fixture';
import { IndexDocuments } from './index-documents';
import { WriteQueue } from './write.queue';

const acme = callerOf('acme');

let engine: FakeEngine;
let documents: IndexDocuments;
beforeEach(() => {
  engine = new FakeEngine();
  documents = new IndexDocuments(new WriteQueue(engine));
});
const index = (id: string, over = {}) => documents.write(documents.toIndex(draftOf(id, over), '', acme));

test('what comes together is written together', async () => {
  await Promise.all(Array.from({ length: 300 }, (_, i) => index(`d${i}`)));
  expect(engine.batches.reduce((sum, size) => sum + size)).toBe(300);
  expect(engine.batches.length).toBeLessThanOrEqual(4);
});

test('without versions the last of many changes within a millisecond wins', async () => {
  const now = jest.spyOn(Date, 'now').mockReturnValue(1_700_000_000_000);
  try {
    const outcomes = await Promise.all(Array.from({ length: 50 }, (_, i) => index('same', { title: `title ${i}` })));
    expect(outcomes).not.toContain('unchanged');
    expect(engine.document('acme', 'same')?.title).toBe('title 49');
    const deletion = documents.toDelete({ id: 'same', version: '0' }, '', acme);
    await expect(documents.write(deletion)).resolves.toBe('deleted');
  } finally {
    now.mockRestore();
  }
});

test('a deletion is of the kind that was indexed', () => {
  expect(documents.toDelete({ id: 'msg_1', version: '3' }, 'acme', serviceCaller('mail'))).toEqual({
    change: 'delete',
    tenant: 'acme',
    id: 'msg_1',
    kind: 'email',
    version: 3,
  });
});

test('an engine that is away, wholly or for one, is told as such, with when to come again; another fault is its own', async () => {
  engine.refused.set('away', new EngineUnavailableError());
  engine.refused.set('poison', new Error('poison'));
  await expect(index('away')).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  await expect(index('poison')).rejects.toThrow('poison');
  engine.away = true;
  await expect(index('any')).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE', details: { retryAfterSeconds: expect.any(Number) } });
});

test('more than may wait is refused, and nothing is lost of the rest', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  engine.beforeWrite = () => held;
  const outcomes = Promise.allSettled(Array.from({ length: 4200 }, (_, i) => index(`d${i}`)));
  release();
  const settled = await outcomes;
  const refused = settled.filter((each) => each.status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  for (const each of refused) expect(each.reason).toMatchObject({ reason: 'OVERLOADED' });
  expect(engine.batches.reduce((sum, size) => sum + size)).toBe(4200 - refused.length);
});
