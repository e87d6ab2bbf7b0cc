import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { rmSync } from 'node:fs';
import type { EmailEvent } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { type EdgeSystem, startEdgeSystem } from './edge-system';
import type { EdgeWire } from './edge.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { submitEmail, watchEvents } from './mail.calls';
import { canQuicBpf, TestEdge } from './test-edge';

const MAKE_CERTIFICATES = resolve(__dirname, '../../nginx-quic/make-certificates');
/** Each is led to a worker by chance. */
const CLIENTS = 4;

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

/** A new CA, and a certificate of it, in the place of the ones before. */
function renewCertificate(edge: TestEdge): void {
  for (const name of ['ca.pem', 'ca.key', 'edge.pem', 'edge.key']) rmSync(edge.fileOf(`tls/${name}`));
  execFileSync(MAKE_CERTIFICATES, [edge.fileOf('tls')], { env: edge.tools });
}

const refusal = (edge: TestEdge): Promise<{ code: number; stderr: string }> =>
  edge.reload().then(
    () => {
      throw new Error('it was not refused');
    },
    (error: { code: number; stderr: string }) => error,
  );

/** Whether a client that believes this CA only is served. */
async function isServed(opening: Promise<EdgeWire>): Promise<boolean> {
  try {
    const wire = await opening;
    const { status } = await wire.rest({ method: 'GET', path: '/health/ready' });
    await wire.close();
    return status === 200;
  } catch {
    return false;
  }
}
const byHttp2 = ({ url }: TestEdge, ca: string): Promise<boolean> => isServed(Http2Wire.open({ url, ca }));
const byHttp3 = (edge: TestEdge, ca: string): Promise<boolean> => isServed(Http3Wire.open(edge, { ca, idleMs: 1000 }));

/** Where the kernel cannot, a reload is refused: see below. */
(canQuicBpf() ? describe : describe.skip)('a reload with quic_bpf', () => {
  let edge: TestEdge;
  let wires: EdgeWire[];
  beforeEach(async () => {
    edge = await TestEdge.start(running.behind, { EDGE_QUIC_BPF: 'on', EDGE_WORKERS: '2' });
    wires = await Promise.all([...Array.from({ length: CLIENTS }, () => Http3Wire.open(edge)), Http2Wire.open(edge)]);
  }, 30_000);
  afterEach(async () => {
    await Promise.all(wires.map((wire) => wire.close()));
    await edge.remove();
  });

  test('what is open goes on, and a new certificate is shown to who comes', async () => {
    const heard = wires.map((): EmailEvent[] => []);
    const opened = new Set<number>();
    const endings: unknown[] = [];
    wires.forEach((wire, index) => {
      const hears = (events: EmailEvent[]) => (opened.add(index), heard[index]!.push(...events));
      void wire.grpc!(watchEvents('', hears)).then((answer) => endings.push(answer.error ?? answer.status));
    });
    await eventually(
      () => opened.size,
      (size) => size === wires.length,
    );
    const before = edge.ca;
    renewCertificate(edge);
    await edge.reload();
    await eventually(() => byHttp2(edge, edge.ca), Boolean);
    // The kernel leads some to the workers of before, which take nobody any more.
    const newcomers = (ca: string) => Promise.all(Array.from({ length: 20 }, () => byHttp3(edge, ca)));
    const served = (answers: boolean[]) => answers.filter(Boolean).length;
    const meanwhile = await eventually(
      async () => served(await newcomers(edge.ca)),
      (count) => count > 0,
    );
    console.info(`as long as workers of before a reload have open streams, ${meanwhile} of 20 new connections of HTTP/3 are served`);
    expect([await byHttp2(edge, before), served(await newcomers(before))]).toEqual([false, 0]);

    const newcomer = await Http2Wire.open(edge);
    expect(await newcomer.grpc(submitEmail('after the reload'))).toMatchObject({ status: 0 });
    await newcomer.close();
    await eventually(
      () => heard.filter((events) => events.some(({ type }) => type === 'email.queued')).length,
      (count) => count === wires.length,
    );
    expect(endings).toEqual([]);

    await Promise.all(wires.map((wire) => wire.close()));
    await eventually(
      () => edge.residentBytes.length,
      (processes) => processes === 3,
    );
    expect(served(await newcomers(edge.ca))).toBe(20);
  }, 60_000);
});

test('a reload with a certificate that is not that of its key is refused, and the old one stays', async () => {
  const edge = await TestEdge.start(running.behind);
  try {
    const before = edge.ca;
    edge.fileOf('tls/edge.key', 'no key');
    expect(await refusal(edge)).toMatchObject({ code: 1, stderr: expect.stringContaining('edge.key') });
    expect([await byHttp2(edge, before), await byHttp3(edge, before)]).toEqual([true, true]);
  } finally {
    await edge.remove();
  }
});

test('a reload without quic_bpf is refused with what to do instead, and cuts nothing', async () => {
  const edge = await TestEdge.start(running.behind, { EDGE_QUIC_BPF: 'off' });
  const wire = await Http3Wire.open(edge);
  try {
    const { code, stderr } = await refusal(edge);
    expect(code).toBe(1);
    expect(stderr).toContain('reload: quic_bpf is off here, so that HTTP/3 connections would be cut: replace this edge instead');
    expect(await wire.grpc(submitEmail('still there'))).toMatchObject({ status: 0 });
  } finally {
    await wire.close();
    await edge.remove();
  }
});
