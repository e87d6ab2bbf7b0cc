import { eventually } from '../eventually';
import { searchToken } from './search-service-client';
import { SearchServiceSystem } from './search-service-system';

let system: SearchServiceSystem;
beforeEach(async () => {
  system = await SearchServiceSystem.make();
});
afterEach(() => system.stop());

describe('IndexDocuments', () => {
  const request = (id: string, over: object = {}) => ({ requestRef: `ref-${id}`, document: { id, title: 'word' }, ...over });

  test('documents and deletions are answered by their refs, a wrong one by itself, in few writes', async () => {
    await system.start();
    await system.client.index({ id: 'old' });
    const stream = await system.client.stream();
    stream.send({
      requests: [...Array.from({ length: 200 }, (_, i) => request(`d${i}`)), request('msg_1'), request('twice'), request('twice')],
      deletions: [
        { id: 'old', requestRef: 'gone' },
        { id: 'never', requestRef: 'never' },
      ],
    });
    await expect(stream.end()).resolves.toBeNull();
    expect(stream.results).toHaveLength(205);
    expect(stream.statusOf('ref-d199')).toBe('created');
    expect(stream.statusOf('gone')).toBe('deleted');
    expect(stream.statusOf('never')).toBe('unchanged');
    expect(stream.errorOf('ref-msg_1')?.details.violations?.map(({ field }) => field)).toEqual(['document.id']);
    expect(
      stream.results.filter(({ requestRef }) => requestRef === 'ref-twice').map(({ failure }) => failure !== undefined && failure !== null),
    ).toEqual(expect.arrayContaining([true, false]));
    expect(system.engine.batches.length).toBeLessThan(20);
    expect(system.engine.document('acme', 'd7')).toMatchObject({ kind: 'document', title: 'word' });
  });

  test('a source is kept once all before it is written and published; what is kept is told; it moves indexed_through_ms', async () => {
    await system.start();
    const service = { service: 'mail' };
    const feed = await system.client.stream(service);
    feed.send({ source: 'mail' });
    await eventually(
      () => feed.sources,
      (sources) => sources.length === 1,
    );
    expect(feed.sources).toEqual([{ source: 'mail', checkpoint: '' }]);
    feed.send({ requests: Array.from({ length: 50 }, (_, i) => request(`msg_${i}`, { tenant: i % 2 ? 'acme' : 'other' })) });
    feed.send({ requests: [request('msg_last', { tenant: 'acme' })], source: 'mail', checkpoint: 'c-1', throughMs: '1700000000000' });
    feed.send({ source: 'mail' });
    await expect(feed.end()).resolves.toBeNull();
    expect(feed.sources.slice(1)).toEqual([
      { source: 'mail', checkpoint: 'c-1' },
      { source: 'mail', checkpoint: 'c-1' },
    ]);
    expect(system.engine.log.at(-2)).toBe('publish');
    expect(system.engine.log.at(-1)).toBe('checkpoint c-1');
    expect(system.engine.log.filter((line) => line.startsWith('index'))).toHaveLength(51);
    const answer = await system.client.search({ query: 'word', kinds: ['email'], limit: 100 });
    expect(answer.indexedThroughMs).toBe('1700000000000');
    expect(answer.totalCount).toBe(26);
    expect(answer.results.every(({ kind }) => kind === 'email')).toBe(true);
  });

  test('a change that could not be written ends the stream at its source, and nothing of it is kept', async () => {
    await system.start();
    const feed = await system.client.stream({ service: 'mail' });
    let writes = 0;
    system.engine.beforeWrite = () => {
      system.engine.away = writes++ === 0;
    };
    feed.send({ requests: [request('msg_1', { tenant: 'acme' })] });
    await eventually(
      () => feed.results,
      (results) => results.length === 1,
    );
    expect(feed.errorOf('ref-msg_1')).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
    system.engine.away = false;
    feed.send({ requests: [request('msg_2', { tenant: 'acme' })], source: 'mail', checkpoint: 'c-2', throughMs: '2' });
    expect(await feed.ended).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
    expect(feed.statusOf('ref-msg_2')).toBe('created');
    expect(await system.engine.checkpoints()).toEqual([]);
  });

  test('a document that is refused does not hold up its source', async () => {
    await system.start();
    const feed = await system.client.stream({ service: 'mail' });
    system.engine.refused.set('msg_poison', new Error('what no engine takes'));
    feed.send({
      requests: [
        request('msg_poison', { tenant: 'acme' }),
        request('msg_bad', { tenant: 'acme', document: { id: 'msg_bad', title: 'a\nb' } }),
      ],
      source: 'mail',
      checkpoint: 'c-3',
      throughMs: '3',
    });
    await expect(feed.end()).resolves.toBeNull();
    expect(feed.sources).toEqual([{ source: 'mail', checkpoint: 'c-3' }]);
    expect(feed.errorOf('ref-msg_poison')).toMatchObject({ reason: 'INTERNAL' });
    expect(feed.errorOf('ref-msg_bad')).toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  test('too many in a message, an idle stream, and one whose token ends, end with their reason', async () => {
    await system.start({ GRPC_STREAM_IDLE_TIMEOUT: '1' });
    const large = await system.client.stream();
    large.send({ requests: Array.from({ length: 600 }, (_, i) => request(`d${i}`)), deletions: Array.from({ length: 401 }, () => ({})) });
    expect(await large.ended).toMatchObject({ details: { violations: [expect.objectContaining({ field: 'requests' })] } });
    const idle = await system.client.stream();
    expect(await idle.ended).toMatchObject({ reason: 'DEADLINE_EXCEEDED', message: expect.stringContaining('GRPC_STREAM_IDLE_TIMEOUT') });
    const ending = await system.client.stream({ token: searchToken({}, 1) });
    ending.send({ requests: [request('kept')] });
    expect(await ending.ended).toMatchObject({ reason: expect.stringMatching(/UNAUTHENTICATED|DEADLINE_EXCEEDED/) });
    expect(ending.statusOf('ref-kept')).toBe('created');
  });

  test('the drain ends a stream, whose changes under way are answered', async () => {
    await system.start();
    let release: (() => void) | undefined;
    system.engine.beforeWrite = () => new Promise<void>((resolve) => (release = resolve));
    const stream = await system.client.stream();
    stream.send({ requests: [request('a')] });
    await eventually(
      () => release !== undefined,
      (begun) => begun,
    );
    const closed = system.search.close();
    setTimeout(() => release?.(), 100);
    expect(await stream.ended).toMatchObject({ reason: 'SERVER_DRAINING' });
    expect(stream.statusOf('ref-a')).toBe('created');
    await closed;
    expect(system.engine.log.at(-1)).toBe('close');
  });
});
