import type { EmailEvent, FileChunk, UploadResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { EdgeMemory } from './edge-memory';
import { bearer } from './edge-system';
import type { EdgeWire, GrpcAnswer, GrpcCall } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { KillableSystem } from './killable-system';
import { submitEmail, watchEvents } from './mail.calls';
import { decoded, encoded, errorOf } from './rpc';
import type { TestEdge } from './test-edge';

const MIB = 1024 * 1024;
const CONNECTIONS = 5;
const STREAMS = 1000;
/** More than the tenant may have. */
const TOO_MANY = 50;
/** Of a process of the edge. A stream holds its buffers; it is 40 to 60 MiB. */
const MAX_BYTES = 128 * MIB;
const UPLOAD = '/sky_genesis.StreamingService/UploadFile';
const DOWNLOAD = '/sky_genesis.StreamingService/DownloadFile';

let running: KillableSystem;
beforeAll(async () => {
  running = await KillableSystem.start({ apps: { GRPC_STREAMS_PER_TENANT: String(STREAMS) } });
}, 90_000);
afterAll(() => running?.stop());

const wires: [name: string, open: (edge: TestEdge) => Promise<EdgeWire>][] = [
  ['HTTP/3', (edge) => Http3Wire.open(edge)],
  ['HTTP/2', (edge) => Http2Wire.open(edge)],
];

describe.each(wires)('over %s', (_name, open) => {
  let connections: EdgeWire[] = [];
  let memory: EdgeMemory;
  beforeEach(async () => {
    connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(running.edge)));
    memory = new EdgeMemory(running.edge);
  });
  const closeAll = () => Promise.all(connections.map((connection) => connection.close()));
  afterEach(async () => {
    expect(memory.stop()).toBeLessThan(MAX_BYTES);
    await closeAll();
  });
  const call = (index: number, grpcCall: GrpcCall) => connections[index % CONNECTIONS]!.grpc!(grpcCall);

  test(`${STREAMS} streams are open at once and hear of everything; more are refused with a status; their end is seen`, async () => {
    const before = await running.cancelledCalls('WatchEvents');
    const opened = new Set<number>();
    const heard = new Set<number>();
    const answered: GrpcAnswer[] = [];
    const hears = (index: number) => (events: EmailEvent[]) => {
      opened.add(index);
      if (events.some(({ type }) => type === 'email.queued')) heard.add(index);
    };
    const streams = Array.from({ length: STREAMS + TOO_MANY }, async (_, index) => {
      answered.push(await call(index, watchEvents('', hears(index))));
    });
    await eventually(
      () => opened.size + answered.length,
      (count) => count === STREAMS + TOO_MANY,
    );
    expect(answered.map((answer) => [answer.status, errorOf(answer).reason])).toEqual(Array(TOO_MANY).fill([8, 'TOO_MANY_STREAMS']));
    expect(await call(0, submitEmail('for all'))).toMatchObject({ status: 0 });
    await eventually(
      () => heard.size,
      (count) => count === STREAMS,
    );
    await closeAll();
    await Promise.all(streams);
    await eventually(
      () => running.cancelledCalls('WatchEvents'),
      (count) => count === before + STREAMS,
    );
  }, 90_000);

  test(`${STREAMS} calls at once, mails and files up and down: each is answered`, async () => {
    const data = Buffer.alloc(64 * 1024, 'a file ');
    const upload: GrpcCall = { path: UPLOAD, metadata: bearer(), requests: [encoded(UPLOAD, { data, last: true })], timeoutMs: 60_000 };
    const [file] = decoded<UploadResponse>(UPLOAD, await call(0, upload));
    const download: GrpcCall = { ...upload, path: DOWNLOAD, requests: [encoded(DOWNLOAD, { fileId: file!.fileId })] };
    const kinds = [submitEmail('one of many', '', 60_000), upload, download, submitEmail('another', '', 60_000)];
    const answers = await Promise.all(Array.from({ length: STREAMS }, (_, index) => call(index, kinds[index % kinds.length]!)));
    expect(answers.map(({ status, error }) => status ?? error)).toEqual(Array(STREAMS).fill(0));
    const downloaded = answers.filter((_, index) => kinds[index % kinds.length] === download);
    for (const answer of downloaded) {
      expect(Buffer.concat(decoded<FileChunk>(DOWNLOAD, answer).map((chunk) => Buffer.from(chunk.data))).equals(data)).toBe(true);
    }
  }, 90_000);
});
