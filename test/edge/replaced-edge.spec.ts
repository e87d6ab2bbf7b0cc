import { createHash } from 'node:crypto';
import type { UploadResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { ReturningClient } from './returning.client';
import { decoded, encoded, errorOf } from './rpc';
import { TestEdge } from './test-edge';
import { createUpload, goOn, UPLOAD, uploadOf } from './upload.calls';

const CONTENT = Buffer.alloc(8 * 1024 * 1024, 'a file ');
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem({ edge: { EDGE_DRAIN_SECONDS: '1' } });
}, 90_000);
afterAll(() => running?.stop());

/** Asks for a sign of life, so that an edge that has forgotten the connection is heard to say so. */
async function openHttp3(edge: TestEdge): Promise<EdgeWire> {
  const wire = await Http3Wire.open(edge, { idleMs: 3000 });
  const pings = setInterval(() => wire.connection.ping(), 250);
  void wire.connection.ended.then(() => clearInterval(pings));
  return wire;
}

const wires: [name: string, open: (edge: TestEdge) => Promise<EdgeWire>][] = [
  ['HTTP/3', openHttp3],
  ['HTTP/2', (edge) => Http2Wire.open(edge)],
];

describe.each(wires)('over %s', (name, open) => {
  test.each([
    ['replaced in order (QUIT)', 'SIGQUIT'],
    ['replaced at once (TERM)', 'SIGTERM'],
    ['killed, with its workers, and started again', 'SIGKILL'],
  ] as const)(
    'an edge is %s: nothing hangs, and clients go on where they were',
    async (_what, signal) => {
      const { edge } = running;
      const client = new ReturningClient(() => open(edge));
      const watching = client.watch();
      const sending = ['a', 'b', 'c'].map((sender) => client.send(`${name} ${signal} ${sender}`));
      const uploader = await open(edge);
      const fileId = await createUpload(uploader);
      const uploading = uploader.grpc!(uploadOf(fileId, CONTENT, 0, CONTENT.length / 2));
      await eventually(
        () => client.accepted.size,
        (count) => count >= 20,
      );

      const began = Date.now();
      const broken = uploading.then((answer) => ({ answer, atMs: Date.now() - began }));
      await edge.end(signal);
      await edge.run();
      const runsMs = Date.now() - began;
      const { answer, atMs } = await broken;
      console.info(`${name}, ${signal}: the new edge ran after ${runsMs} ms; an open stream ended after ${atMs} ms: ${answer.error}`);
      expect(answer).toMatchObject({ status: undefined, error: expect.any(String) });
      expect(atMs).toBeLessThan(runsMs + 2000);

      const before = client.accepted.size;
      await eventually(
        () => client.accepted.size,
        (count) => count >= before + 20,
      );
      client.stop();
      await Promise.all(sending);
      const files = await open(edge);
      const complete = await eventually(
        () => goOn(files, fileId, CONTENT),
        ({ status }) => status === 0,
      );
      expect(decoded<UploadResponse>(UPLOAD, complete)).toEqual([
        expect.objectContaining({ size: String(CONTENT.length), sha256: SHA256 }),
      ]);
      await files.close();
      await expectEachOnce(client);
      await client.close();
      await watching;
    },
    60_000,
  );
});

test.each(wires)('an edge that is ended in order answers what is under way first, over %s', async (_name, open) => {
  const edge = await TestEdge.start(running.behind, { EDGE_DRAIN_SECONDS: '10' });
  const wire = await open(edge);
  const path = '/sky_genesis.SearchService/Search';
  const waiting = wire.grpc!({
    path,
    metadata: bearer(),
    requests: [encoded(path, { query: 'edge', waitForId: 'doc_never' })],
    timeoutMs: 2000,
  });
  // What was sent before this is there before it.
  expect(await wire.rest({ method: 'GET', path: '/health/ready' })).toMatchObject({ status: 200 });
  const ending = edge.end('SIGQUIT');
  const answer = await waiting;
  expect([answer.status, errorOf(answer).reason]).toEqual([4, 'NOT_FINDABLE_YET']);
  await ending;
  await edge.remove();
});

/** Each mail is there once, under the id that was told; of what happened each event was heard, and none twice. */
async function expectEachOnce({ accepted, cursors }: ReturningClient): Promise<void> {
  const { database } = running.system;
  const mails = await database.query<{ id: string; subject: string }>("select 'msg_' || id as id, subject from email");
  for (const [key, id] of accepted) expect(mails.filter(({ subject }) => subject === key)).toEqual([{ id, subject: key }]);
  await eventually(
    async () => [cursors.length, Number((await database.query<{ count: string }>('select count(*) from event'))[0]!.count)],
    ([heard, happened]) => heard === happened,
  );
  expect(cursors).toEqual(Array.from({ length: cursors.length }, (_, index) => String(index + 1)));
}
