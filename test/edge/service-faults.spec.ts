import { createHash } from 'node:crypto';
import type { UploadResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { bearer } from './edge-system';
import type { EdgeWire, GrpcAnswer, RestAnswer } from './edge.wire';
import { Http1Wire } from './http1.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import { KillableSystem } from './killable-system';
import { acceptedId, mailOf, submitEmail, watchEvents } from './mail.calls';
import { decoded, errorOf } from './rpc';
import { createUpload, goOn, UPLOAD, uploadOf } from './upload.calls';

const DEADLINE_MS = 8000;
const CONTENT = Buffer.alloc(4 * 1024 * 1024, 'a file ');

let running: KillableSystem;
let wires: { h3: Http3Wire; h2: Http2Wire; h1: Http1Wire };
beforeAll(async () => {
  running = await KillableSystem.start({ edge: { GRPC_TIMEOUT: '2' } });
  const { edge } = running;
  wires = { h3: await Http3Wire.open(edge), h2: await Http2Wire.open(edge), h1: new Http1Wire(edge) };
}, 90_000);
afterAll(async () => {
  await Promise.all(Object.values(wires ?? {}).map((wire: EdgeWire) => wire.close()));
  await running?.stop();
});

/** One mail and what a caller was told of it. */
interface Told {
  key: string;
  tookMs: number;
  grpc?: GrpcAnswer;
  rest?: RestAnswer;
}

const submitByRest = (key: string, withinSeconds = 5): Promise<RestAnswer> =>
  wires.h1.rest({
    method: 'POST',
    path: '/api/v1/mail/send',
    headers: { ...bearer(), 'content-type': 'application/json', 'idempotency-key': key, 'request-timeout': String(withinSeconds) },
    body: Buffer.from(JSON.stringify(mailOf(key))),
    timeoutMs: DEADLINE_MS,
  });

/** The gateway takes a moment to find mail again. */
beforeEach(async () => {
  await eventually(
    () => submitByRest('before'),
    ({ status }) => status === 202,
  );
});

/** Sends one mail after the other, each with a key of its own, until it is told to stop. */
async function keepSending(name: string, until: { stopped: boolean }, told: Told[]): Promise<void> {
  const wire = name.startsWith('h3') ? wires.h3 : wires.h2;
  for (let count = 0; !until.stopped; count++) {
    const key = `${name}-${count}`;
    const began = Date.now();
    const answer = name.startsWith('h1')
      ? { rest: await submitByRest(key) }
      : { grpc: await wire.grpc(submitEmail(key, key, DEADLINE_MS)) };
    told.push({ key, tookMs: Date.now() - began, ...answer });
  }
}

const idOf = ({ grpc, rest }: Told): string | undefined => {
  if (grpc) return acceptedId(grpc);
  return rest?.status === 202 ? (JSON.parse(rest.body!.toString()) as { message_id: string }).message_id : undefined;
};

/** Asks again for each key: what was accepted is told by the same id, and there is one mail of each in the database. */
async function expectEachOnce(told: Told[]): Promise<void> {
  for (const one of told) {
    const again = await wires.h3.grpc(submitEmail(one.key, one.key));
    expect([one.key, again.status]).toEqual([one.key, 0]);
    if (idOf(one)) expect(acceptedId(again)).toBe(idOf(one));
  }
  const rows = await running.database.query<{ subject: string; count: string }>('select subject, count(*) from email group by subject');
  const counts = new Map(rows.map(({ subject, count }) => [subject, Number(count)]));
  expect(told.filter(({ key }) => counts.get(key) !== 1)).toEqual([]);
}

/** Of what was not accepted each caller was told why. */
function expectWhy(told: Told[]): void {
  for (const { grpc, rest } of told) {
    // One whose answer had begun.
    if (grpc && grpc.status === undefined) expect(grpc.error).toMatch(/INTERNAL_ERROR/);
    else if (grpc && grpc.status !== 0) expect([grpc.status, errorOf(grpc).reason]).toEqual([14, 'SERVICE_UNAVAILABLE']);
    if (rest && rest.status !== 202) {
      expect(rest).toMatchObject({
        status: 503,
        headers: { 'content-type': 'application/problem+json', 'retry-after': expect.stringMatching(/^[12]$/) },
      });
      expect(JSON.parse(rest.body!.toString())).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE' });
    }
  }
}

test('a service that is killed: calls end at once and say so; what was accepted is there once, and an upload goes on', async () => {
  const told: Told[] = [];
  const until = { stopped: false };
  const fileId = await createUpload(wires.h3);
  const streams = [
    wires.h3.grpc(watchEvents('')),
    wires.h2.grpc(watchEvents('')),
    wires.h3.grpc(uploadOf(fileId, CONTENT, 0, CONTENT.length / 2)),
  ];
  const senders = ['h3-a', 'h3-b', 'h3-c', 'h2-a', 'h2-b', 'h2-c', 'h1-a', 'h1-b'].map((name) => keepSending(name, until, told));
  await eventually(
    () => told.length,
    (count) => count >= 100,
  );
  await running.mail.kill('SIGKILL');
  const killedAt = Date.now();
  const endings = await Promise.all(streams);
  const endedMs = Date.now() - killedAt;
  await eventually(
    () => told.filter(({ rest }) => rest && rest.status !== 202).length,
    (count) => count >= 5,
  );
  until.stopped = true;
  await Promise.all(senders);
  await running.startMail();
  // Their answers had begun, and could not be given a status any more: they were reset.
  for (const { error } of endings) expect(error).toMatch(/INTERNAL_ERROR/);
  expect(endedMs).toBeLessThan(3000);
  expect(Math.max(...told.map(({ tookMs }) => tookMs))).toBeLessThan(DEADLINE_MS);
  expectWhy(told);
  await expectEachOnce(told);
  // The claim of the process that is gone runs out first.
  const complete = await eventually(
    () => goOn(wires.h3, fileId, CONTENT),
    ({ status }) => status === 0,
  );
  const [file] = decoded<UploadResponse>(UPLOAD, complete);
  expect(file).toMatchObject({ size: String(CONTENT.length), sha256: createHash('sha256').update(CONTENT).digest('hex') });
}, 120_000);

test('a service that is frozen: calls end by their deadlines, at the edge at the latest; nothing is there twice', async () => {
  const told: Told[] = [];
  const send = async (wire: EdgeWire, key: string): Promise<void> => {
    const began = Date.now();
    const grpc = await wire.grpc!(submitEmail(key, key, 30_000));
    told.push({ key, tookMs: Date.now() - began, grpc });
  };
  running.mail.signal('SIGSTOP');
  try {
    const began = Date.now();
    const rest = submitByRest('frozen-h1', 1).then((answer) => ({ key: 'frozen-h1', tookMs: Date.now() - began, rest: answer }));
    await Promise.all([send(wires.h3, 'frozen-h3'), send(wires.h2, 'frozen-h2'), rest.then((one) => told.push(one))]);
  } finally {
    running.mail.signal('SIGCONT');
  }
  for (const { grpc, rest, tookMs } of told) {
    if (grpc) expect([grpc.status, errorOf(grpc).reason]).toEqual([4, 'DEADLINE_EXCEEDED']);
    if (rest)
      expect([rest.status, JSON.parse(rest.body!.toString())]).toEqual([504, expect.objectContaining({ code: 'DEADLINE_EXCEEDED' })]);
    // GRPC_TIMEOUT, and 5 s more at the edge; on REST what the caller asked for.
    expect(tookMs).toBeGreaterThan(grpc ? 6500 : 900);
    expect(tookMs).toBeLessThan(grpc ? 12_000 : 6000);
  }
  await expectEachOnce(told);
}, 60_000);
