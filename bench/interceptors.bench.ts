import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzip } from 'node:zlib';
import type { MethodDefinition } from '@grpc/grpc-js';
import { issueToken } from '@sky-genesis/auth';
import { loadPackage } from '@sky-genesis/proto';
import { encodeGrpcMessage } from '#http3/grpc-frames';
import { succeed, type WireRequest } from './call-wire';
import { CHAINS, type ChainOptions, ChainServer } from './chain-server';
import { Http2CallWire } from './http2-call.wire';
import { inTurn } from './in-turn';
import { type ChainFigures, type GzipFigures, printInterceptors, writeInterceptors } from './interceptors-report';
import { pageOf } from './mail-pages';

const AT_A_TIME = 32;
/** Of each server, until V8 has compiled what is hot: with 6000 a call still costs twice as much. */
const WARM_UP_CALLS = 16_000;
/** For each of the sizes, of the calls of a load. */
const SIZES_SHARE = 1 / 4;
/** Just below the size from which answers are compressed by default. */
const SMALL_PAGE = 2;
const PAGES = [1, 3, 5, 10, 50, 200];
const GZIP_LEVELS = [1, 6];
const DEFAULT_MIN_BYTES = 2048;

export interface InterceptorsBenchOptions {
  /** Of each chain in a round; a quarter of them for each size of answer. */
  calls: number;
  rounds: number;
  /** Whether docs/bench-interceptors.md is written, beside being printed. */
  write: boolean;
}

/** A server and what is asked of it: pages of so many mails. */
interface Chain extends Pick<ChainOptions, 'chain'> {
  name: string;
  part: ChainFigures['part'];
  pages: readonly number[];
  minBytes?: number;
  mutual?: boolean;
}

const SERVERS: readonly Chain[] = [
  ...CHAINS.map((chain): Chain => ({ name: chain, chain, part: 'chains', pages: [SMALL_PAGE] })),
  { name: 'bare, mTLS', chain: 'bare', part: 'chains', pages: [SMALL_PAGE], mutual: true },
  { name: 'compression, mTLS', chain: 'compression', part: 'chains', pages: [SMALL_PAGE], mutual: true },
  { name: 'none compressed', chain: 'authentication', part: 'sizes', pages: PAGES },
  { name: 'all compressed', chain: 'compression', part: 'sizes', pages: PAGES, minBytes: 0 },
];

/** What our interceptors cost, beside a server of grpc-js that has none; and what compression costs and saves. */
export async function interceptorsBench(options: InterceptorsBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sge-bench-'));
  try {
    const figures = await measure(makePair(folder), options);
    const gzipFigures = await measureGzip(options.rounds);
    printInterceptors(figures, gzipFigures, options);
    if (options.write) writeInterceptors(figures, gzipFigures, options);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One server after the other, each round with new ones: what V8 makes of the code differs from process to process, by more than an interceptor costs. */
async function measure(pair: NonNullable<ChainOptions['pair']>, { calls, rounds }: InterceptorsBenchOptions): Promise<ChainFigures[]> {
  const token = { AUTH_SECRET: randomBytes(32).toString('hex'), AUTH_ISSUER: 'bench', AUTH_AUDIENCE: 'bench' };
  const authorization = `Bearer ${issueToken(token, { sub: 'bench', tenant: 'bench', scope: 'mail.read' }, 3600)}`;
  const pem = { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) };
  const figures: ChainFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const { name, chain, part, pages, minBytes = DEFAULT_MIN_BYTES, mutual } of inTurn(SERVERS, round)) {
      const server = await ChainServer.start({ chain, token, minBytes, ...(mutual && { pair }) });
      const target = { port: server.port, ...(mutual && { ca: pem.cert.toString() }) };
      const wire = await Http2CallWire.open(name, target, mutual ? pem : undefined);
      await load(server, wire, listEmails(SMALL_PAGE, authorization), WARM_UP_CALLS);
      for (const mails of pages) {
        const loaded = await load(server, wire, listEmails(mails, authorization), part === 'chains' ? calls : calls * SIZES_SHARE);
        figures.push({ round, part, chain: name, mails, messageBytes: messageOf(mails).length, ...loaded });
      }
      wire.close();
      await server.stop();
    }
    console.error(`round ${round + 1} of ${rounds}`);
  }
  return figures;
}

/** So many calls, each caller's as soon as it has the answer to the one before. */
async function load(server: ChainServer, wire: Http2CallWire, request: WireRequest, calls: number) {
  const { bytes: wireBytes } = await succeed(wire, request);
  const cpuBefore = await server.cpuMicroseconds();
  const beganAt = performance.now();
  let left = calls;
  const caller = async (): Promise<void> => {
    while (left-- > 0) await succeed(wire, request);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, caller));
  const perSecond = (calls / (performance.now() - beganAt)) * 1000;
  const cpu = ((await server.cpuMicroseconds()) - cpuBefore) / calls;
  return { perSecond, wireBytes, cpu };
}

const { requestSerialize, responseSerialize, path } = (
  loadPackage() as unknown as Record<string, Record<string, MethodDefinition<object, object>>>
)['sky_genesis.MailService']!['ListEmails']!;

const messageOf = (mails: number): Buffer => responseSerialize({ emails: pageOf(mails) });

const listEmails = (pageSize: number, authorization: string): WireRequest => ({
  method: 'POST',
  path,
  headers: { authorization, 'content-type': 'application/grpc', te: 'trailers', 'grpc-accept-encoding': 'identity,deflate,gzip' },
  body: encodeGrpcMessage(requestSerialize({ pageSize })),
});

/** zlib by itself, in the pool of threads as interceptors use it: what a level costs and saves. */
async function measureGzip(rounds: number): Promise<GzipFigures[]> {
  const figures: GzipFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const mails of PAGES) {
      const message = messageOf(mails);
      const times = Math.ceil(2_000_000 / message.length);
      for (const level of inTurn(GZIP_LEVELS, round)) {
        let packed = 0;
        const before = process.cpuUsage();
        for (let i = 0; i < times; i++) packed = await sizeOfGzip(message, level);
        const { user, system } = process.cpuUsage(before);
        figures.push({ round, level, messageBytes: message.length, packedBytes: packed, cpu: (user + system) / times });
      }
    }
  }
  return figures;
}

const sizeOfGzip = (message: Buffer, level: number): Promise<number> =>
  new Promise((resolve, reject) =>
    gzip(message, { level, chunkSize: Math.max(message.length, 64) }, (error, packed) => (error ? reject(error) : resolve(packed.length))),
  );

/** One certificate for both ends, made by openssl. */
function makePair(folder: string): NonNullable<ChainOptions['pair']> {
  const pair = { certificate: join(folder, 'localhost.pem'), key: join(folder, 'localhost.key') };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-keyout', pair.key];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', ...subject, '-out', pair.certificate], { stdio: 'pipe' });
  return pair;
}
