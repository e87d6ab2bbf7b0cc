import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { GoWire } from './go.wire';
import type { TestEdge } from './test-edge';

/** How often there was which status; 0: none. */
export type Statuses = Record<string, number>;

const CONNECTIONS = 10;
/** At once, on each connection. */
const STREAMS = 20;

const CLIENT = `const { connect } = require('node:http2');
const { url, ca, path, headers, from, requests, connections, streams } = JSON.parse(process.argv[1]);
const statuses = {};
let left = requests;
const count = (status) => (statuses[status] = (statuses[status] ?? 0) + 1);
const ask = (session) => new Promise((done) => {
  let status = 0;
  const stream = session.request({ ':path': path, ...headers });
  stream.on('response', (fields) => (status = fields[':status'])).on('error', () => undefined).resume();
  stream.on('close', () => done(count(status)));
});
const all = Array.from({ length: connections }, async () => {
  const session = connect(url, { ca, localAddress: from }).on('error', () => undefined);
  await Promise.all(Array.from({ length: streams }, async () => { while (left-- > 0 && !session.destroyed) await ask(session); }));
  session.destroy();
});
Promise.all(all).then(() => console.log(JSON.stringify(statuses)));`;

/** As many requests as the client can send, by processes of its own: HTTP/2 from a given address of loopback. */
export async function floodByHttp2(
  { url, ca }: TestEdge,
  from: string,
  path: string,
  headers: object,
  requests: number,
): Promise<Statuses> {
  const given = JSON.stringify({ url, ca, path, headers, from, requests, connections: CONNECTIONS, streams: STREAMS });
  const child = spawn(process.execPath, ['-e', CLIENT, given], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  return JSON.parse(await text(child.stdout)) as Statuses;
}

/** The same over HTTP/3, from 127.0.0.1. */
export async function floodByHttp3(edge: TestEdge, path: string, headers: Record<string, string>, requests: number): Promise<Statuses> {
  const statuses: Statuses = {};
  let left = requests;
  const flooding = Array.from({ length: CONNECTIONS }, async () => {
    const wire = new GoWire(edge);
    const sending = Array.from({ length: STREAMS }, async () => {
      while (left-- > 0) {
        const { status = 0 } = await wire.rest({ method: 'GET', path, headers });
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    });
    await Promise.all(sending);
    await wire.close();
  });
  await Promise.all(flooding);
  return statuses;
}
