import { once } from 'node:events';
import { RuleError, toRpcStatus, toStatus } from '@sky-genesis/grpc';
import type { IndexDocumentsRequest } from '@sky-genesis/proto';
import { Bulk, documentBulk, incompressible, type BulkAnswer } from '../../testing/bulk.client';
import { doneOf, type IndexStream } from '../../testing/fake-search.service';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const LIMIT = 1_048_576;
const PATH = '/api/v1/search/documents/bulk';
const fixture = new GatewayFixture();
const { search } = fixture;
const doAll = search.indexDocuments;
beforeAll(() => fixture.start({ GRPC_MAX_MESSAGE_SIZE: String(LIMIT), HTTP_REQUEST_TIMEOUT_SECONDS: '2' }));
afterAll(() => fixture.stop());
beforeEach(() => (search.indexDocuments = doAll));

const outcomes = (answers: BulkAnswer[]) =>
  answers.map(({ request_ref, id, status, problem }) => [request_ref, id, status ?? problem?.code]);

function collect(): IndexDocumentsRequest[] {
  const messages: IndexDocumentsRequest[] = [];
  search.indexDocuments = (call) => {
    call.on('data', (message: IndexDocumentsRequest) => messages.push(message));
    doAll(call);
  };
  return messages;
}

test('documents and deletions go through, each answered by its ref or the number of its line', async () => {
  const messages = collect();
  const lines = [
    { id: 'a', title: 'A', attributes: { n: 1 }, request_ref: 'mine' },
    '',
    { delete: 'b', version: 5 },
    { id: 'c', version: 7 },
  ];
  const answers = await documentBulk(fixture, ...lines);
  expect(outcomes(answers).sort()).toEqual([
    ['3', 'b', 'deleted'],
    ['4', 'c', 'created'],
    ['mine', 'a', 'created'],
  ]);
  expect(messages.flatMap(({ requests }) => requests)).toMatchObject([
    { document: { id: 'a', title: 'A', attributes: { n: { values: ['1'] } } }, tenant: '' },
    { document: { id: 'c', version: '7' } },
  ]);
  expect(messages.flatMap(({ deletions }) => deletions)).toMatchObject([{ id: 'b', version: '5', tenant: '' }]);
  for (const message of messages) expect(message).toMatchObject({ source: '', checkpoint: '', throughMs: '0' });
  expect(search.last.metadata.get('authorization')[0]).toMatch(/^Bearer /);
});

test('a document and its deletion go in the order of their lines, in messages of their own', async () => {
  const messages = collect();
  const lines = [{ id: 'a' }, { id: 'b' }, { delete: 'a' }, { delete: 'c' }, { id: 'a' }, { id: 'a', title: 'again' }];
  await documentBulk(fixture, lines.map((line) => JSON.stringify(line)).join('\n'));
  const ofA = messages.map(({ requests, deletions }) => [
    ...requests.filter(({ document }) => document?.id === 'a').map(() => 'put'),
    ...deletions.filter(({ id }) => id === 'a').map(() => 'delete'),
  ]);
  expect(ofA).toEqual([['put'], ['delete'], ['put', 'put']]);
});

test.each<[string, string, string, string[] | undefined]>([
  ['no JSON', '{"id": ', 'MALFORMED_REQUEST', undefined],
  ['an array', '[]', 'INVALID_ARGUMENT', ['body']],
  ['null', 'null', 'INVALID_ARGUMENT', ['body']],
  ['a wrong type', '{"id":1}', 'INVALID_ARGUMENT', ['id']],
  ['a wrong attribute', '{"id":"x","attributes":{"a":[null]}}', 'INVALID_ARGUMENT', ['attributes[a][0]']],
  ['an unknown field', '{"id":"x","tenant":"other"}', 'INVALID_ARGUMENT', ['tenant']],
  ['a source', '{"id":"x","source":"mail","checkpoint":"1"}', 'INVALID_ARGUMENT', ['source', 'checkpoint']],
  ['a deletion of no text', '{"delete":true}', 'INVALID_ARGUMENT', ['delete']],
  ['a deletion with a document', '{"delete":"x","title":"t"}', 'INVALID_ARGUMENT', ['title']],
  ['a ref that is too long', `{"id":"x","request_ref":"${'x'.repeat(256)}"}`, 'INVALID_ARGUMENT', ['request_ref']],
  ['too much', `{"id":"x","content":"${'x'.repeat(LIMIT)}"}`, 'MESSAGE_TOO_LARGE', undefined],
  ['just too much', `{"id":"x","content":"${'x'.repeat(LIMIT - 100)}"}`, 'MESSAGE_TOO_LARGE', undefined],
  [
    'more in protobuf than in JSON',
    `{"id":"x","attributes":{"a":[${'1,'.repeat(60_000)}1]},"content":"${'x'.repeat(800_000)}"}`,
    'MESSAGE_TOO_LARGE',
    undefined,
  ],
])('a line of %s is one problem, and the others go on', async (_, line, code, fields) => {
  const answers = await documentBulk(fixture, { id: 'a' }, line, { id: 'c' });
  expect(outcomes(answers).sort()).toEqual([
    ['1', 'a', 'created'],
    ['2', undefined, code],
    ['3', 'c', 'created'],
  ]);
  const { problem } = answers.find(({ request_ref }) => request_ref === '2')!;
  expect(problem!.errors?.map(({ field }) => field)).toEqual(fields);
});

test('what the service refuses is told as the line has it', async () => {
  const failure = (field: string) =>
    toRpcStatus(new RuleError('INVALID_ARGUMENT', 'x', { violations: [{ field, description: 'is wrong' }] })) as never;
  search.indexDocuments = (call) => {
    call.on('data', ({ requests, deletions }: IndexDocumentsRequest) =>
      call.write({
        results: [
          ...requests.map(({ requestRef }) => ({ requestRef, failure: failure('document.id') })),
          ...deletions.map(({ requestRef }) => ({ requestRef, failure: failure('id') })),
        ],
      }),
    );
    call.on('end', () => call.end());
  };
  const answers = await documentBulk(fixture, { id: 'msg_1' }, { delete: 'msg_2' });
  expect(answers.map(({ request_ref, problem }) => [request_ref, problem?.errors]).sort()).toEqual([
    ['1', [{ field: 'id', message: 'is wrong' }]],
    ['2', [{ field: 'delete', message: 'is wrong' }]],
  ]);
});

test('many lines, few messages, none too large', async () => {
  const messages = collect();
  const lines = Array.from({ length: 3000 }, (_, at) => (at % 3 ? { id: `d${at}`, content: 'x'.repeat(500) } : { delete: `e${at}` }));
  expect(new Set((await documentBulk(fixture, ...lines)).map(({ request_ref }) => request_ref)).size).toBe(3000);
  const sizes = messages.map(({ requests, deletions }) => requests.length + deletions.length);
  expect(Math.max(...sizes)).toBe(100);
  expect(sizes.length).toBeLessThan(200);
});

test('each line is answered while the next is still to come, and the client may stand still for a while', async () => {
  const sending = Bulk.open(fixture, {}, PATH);
  const { statusCode, headers } = await sending.response();
  expect([statusCode, headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  for (const at of [1, 2, 3]) {
    sending.write({ id: `d${at}` });
    expect(await sending.answer()).toEqual({ request_ref: String(at), id: `d${at}`, status: 'created' });
  }
  sending.request.end();
  expect(await sending.answer()).toBeUndefined();
});

test('a service that holds back holds the request back, and nothing is lost', async () => {
  let call!: IndexStream;
  search.indexDocuments = (held) => (call = held);
  const sending = Bulk.open(fixture, {}, PATH);
  await sending.response();
  const line = `${JSON.stringify({ id: 'a', content: incompressible(60_000) })}\n`;
  let written = 0;
  for (let stands = false; !stands && written < 700; written++) {
    if (sending.request.write(line)) continue;
    const moved = once(sending.request, 'drain').then(() => false);
    stands = await Promise.race([moved, new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 1000))]);
  }
  expect(written).toBeLessThan(700);
  doAll(call);
  sending.request.end();
  expect((await sending.answers()).filter(({ status }) => status === 'created')).toHaveLength(written);
});

test.each(['SERVER_DRAINING', 'SEARCH_UNAVAILABLE', 'UNAUTHENTICATED'] as const)(
  'a stream that ends early by %s tells it of each line that is not answered',
  async (reason) => {
    search.indexDocuments = (call) => {
      call.once('data', (message: IndexDocumentsRequest) => {
        call.write({ results: doneOf(message).results!.slice(0, 1) });
        call.emit('error', toStatus(new RuleError(reason)));
      });
    };
    const sending = Bulk.open(fixture, {}, PATH);
    sending.request.write(`${[{ id: 'a' }, { id: 'b', request_ref: 'mine' }].map((each) => JSON.stringify(each)).join('\n')}\n`);
    await sending.response();
    const answers = await sending.answers();
    expect(outcomes(answers)).toEqual([
      ['1', 'a', 'created'],
      ['mine', undefined, reason],
      [undefined, undefined, reason],
    ]);
    expect(answers[1]!.problem!.detail).toContain('may be carried out or not');
    sending.request.destroy();
  },
);

test('JSON, and no scope, are refused before the body is read', async () => {
  expect((await fixture.post(PATH, '{}')).status).toBe(415);
  const sending = Bulk.open(fixture, { authorization: `Bearer ${tokenFor('search.read')}` }, PATH);
  expect((await sending.response()).statusCode).toBe(403);
  sending.request.destroy();
});

test('a client that goes away cancels the call', async () => {
  const received = search.nextCall();
  const sending = Bulk.open(fixture, {}, PATH);
  await sending.response();
  await received;
  sending.request.destroy();
  await search.last.cancelled;
});
