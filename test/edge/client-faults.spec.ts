import { createHash } from 'node:crypto';
import type { EmailEvent, FileChunk, UploadResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';
import { cancelledCalls } from './ended-calls';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { submitEmail, watchEvents } from './mail.calls';
import { decoded, encoded } from './rpc';
import { canQuicBpf, TestEdge } from './test-edge';

const MIB = 1024 * 1024;
const FILE_BYTES = 32 * MIB;
const UPLOAD = '/sky_genesis.StreamingService/UploadFile';
const DOWNLOAD = '/sky_genesis.StreamingService/DownloadFile';
/** Each is led to a worker by chance: that all of them were led right is no chance. */
const CLIENTS = 6;

/** Bytes of a stream under way, at most: less than the congestion window is after the first of them. */
const CALM_WINDOW = 65_536;

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

const submit = async (subject: string): Promise<void> => {
  const wire = await Http2Wire.open(running.edge);
  expect(await wire.grpc(submitEmail(subject))).toMatchObject({ status: 0 });
  await wire.close();
};

async function upload(wire: Http3Wire): Promise<UploadResponse> {
  const pieces = Array.from({ length: FILE_BYTES / MIB }, (_, index) => Buffer.alloc(MIB, `piece ${index} `));
  const requests = pieces.map((data, index) => encoded(UPLOAD, { offset: String(index * MIB), data, last: index === pieces.length - 1 }));
  return decoded<UploadResponse>(UPLOAD, await wire.grpc({ path: UPLOAD, metadata: bearer(), requests }))[0]!;
}

/** A download whose client changes its address on the way, and which can be gone on with. */
class MovingDownload {
  private readonly hash = createHash('sha256');
  private received = 0;
  private messages = 0;

  constructor(
    public wire: Http3Wire,
    private readonly fileId: string,
  ) {}

  /** The rest of it. @returns the status, or why there is none, and the hash of all that came so far */
  async run(): Promise<[number | string | undefined, string]> {
    const onResponse = (message: Buffer) => {
      const { data } = decoded<FileChunk>(DOWNLOAD, { responses: [message] })[0]!;
      this.hash.update(data);
      this.received += data.length;
      if (++this.messages === 10) void this.wire.connection.rebind();
    };
    const requests = [encoded(DOWNLOAD, { fileId: this.fileId, offset: String(this.received) })];
    const { status, error } = await this.wire.grpc({ path: DOWNLOAD, metadata: bearer(), requests, onResponse });
    return [status ?? error, this.hash.copy().digest('hex')];
  }
}

const workers: [string, Record<string, string>][] = [
  canQuicBpf()
    ? ['two workers and quic_bpf', { EDGE_QUIC_BPF: 'on', EDGE_WORKERS: '2' }]
    : ['what the edge runs on this kernel, which has no quic_bpf', {}],
  ['one worker, without quic_bpf', { EDGE_QUIC_BPF: 'off' }],
];

describe.each(workers)('a client that goes on from another address, with %s', (_name, settings) => {
  let edge: TestEdge;
  let wires: Http3Wire[];
  beforeAll(async () => {
    edge = await TestEdge.start(running.behind, settings);
  }, 30_000);
  afterAll(() => edge?.remove());
  beforeEach(async () => {
    wires = await Promise.all(Array.from({ length: CLIENTS }, () => Http3Wire.open(edge)));
  });
  afterEach(() => wires.forEach((wire) => void wire.close()));

  test('gets the rest of a download', async () => {
    const calm = await Promise.all(wires.map(() => Http3Wire.open(edge, { window: CALM_WINDOW })));
    wires.push(...calm);
    const file = await upload(calm[0]!);
    const downloads = calm.map((wire) => new MovingDownload(wire, file.fileId).run());
    expect(await Promise.all(downloads)).toEqual(Array(CLIENTS).fill([0, file.sha256]));
  }, 60_000);

  /**
   * nginx 1.30 asks a new address whether it is the client's only while the congestion window has room, and what it sends meanwhile uses up
   * what it may send to an address that has not answered. So a download at full speed may never be asked: nginx gives up after 7 s.
   */
  test('gets the rest of a download at full speed, with the next connection where nginx gave up this one', async () => {
    const file = await upload(wires[0]!);
    const downloads = wires.map((wire) => new MovingDownload(wire, file.fileId));
    const first = await Promise.all(downloads.map((download) => download.run()));
    const lost = downloads.filter((_download, index) => first[index]![0] !== 0);
    for (const [reason] of first.filter(([status]) => status !== 0)) expect(reason).toMatch(/NO_VIABLE_PATH|stateless reset/);
    expect(lost.length).toBeLessThanOrEqual(CLIENTS / 2);
    if (lost.length > 0) console.info(`${lost.length} of ${CLIENTS} connections were given up by nginx after a change of address`);
    for (const download of lost) wires.push((download.wire = await Http3Wire.open(edge)));
    const then = await Promise.all(lost.map((download) => download.run()));
    expect([...first.filter(([status]) => status === 0), ...then]).toEqual(Array(CLIENTS).fill([0, file.sha256]));
  }, 60_000);

  test('hears of what happens then, in its open stream', async () => {
    const events = wires.map((): EmailEvent[] => []);
    const opened = new Set<number>();
    wires.forEach((wire, index) => void wire.grpc(watchEvents('', (some) => (opened.add(index), events[index]!.push(...some)))));
    await eventually(
      () => opened.size,
      (size) => size === CLIENTS,
    );
    await Promise.all(wires.map((wire) => wire.connection.rebind()));
    await submit('after the change');
    await eventually(
      () => events.filter((some) => some.some(({ type }) => type === 'email.queued')).length,
      (count) => count === CLIENTS,
    );
  }, 60_000);
});

test('a client that was killed is gone for the service after the idle timeout and not before, and no other one', async () => {
  const edge = await TestEdge.start(running.behind, { EDGE_IDLE_TIMEOUT_SECONDS: '3' });
  const [killed, other] = await Promise.all([Http3Wire.open(edge), Http3Wire.open(edge)]);
  const pings = setInterval(() => other.connection.ping(), 500);
  try {
    const opened: Http3Wire[] = [];
    const heard: EmailEvent[] = [];
    void killed.grpc(watchEvents('', () => opened.push(killed)));
    void other.grpc(watchEvents('', (events) => (opened.push(other), heard.push(...events))));
    await eventually(
      () => opened.length,
      (count) => count >= 2,
    );
    const before = await cancelledCalls('WatchEvents');
    const at = Date.now();
    killed.connection.kill();
    await eventually(
      () => cancelledCalls('WatchEvents'),
      (count) => count > before,
    );
    const seconds = (Date.now() - at) / 1000;
    console.info(`a killed client of HTTP/3 was noticed after ${seconds.toFixed(1)} s, with an idle timeout of 3 s`);
    expect(seconds).toBeGreaterThan(2.5);
    expect(seconds).toBeLessThan(10);
    await submit('for who is left');
    await eventually(
      () => heard.length,
      (count) => count > 0,
    );
    expect(await cancelledCalls('WatchEvents')).toBe(before + 1);
  } finally {
    clearInterval(pings);
    await other.close();
    await edge.remove();
  }
}, 40_000);
