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
/** Of each server, before the first round: until V8 has compiled what is hot. */
const WARM_UP_CALLS = 6000;
/** Just below the size from which answers are compressed by default. */
const SMALL_PAGE = 2;
const PAGES = [1, 3, 5, 10, 50, 200];
const GZIP_LEVELS = [1, 6];
const DEFAULT_MIN_BYTES = 2048;

export interface InterceptorsBenchOptions {
  /** Of each load. */
  calls: number;
  rounds: number;
  /** Whether docs/bench-interceptors.md is written, beside being printed. */
  write: boolean;
}

interface Chain {
  name: string;
  server: ChainServer;
  wire: Http2CallWire;
}

/** What our interceptors cost, beside a server of grpc-js that has none; and what compression costs and saves. */
export async function interceptorsBench(options: InterceptorsBenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sge-bench-'));
  const token = { AUTH_SECRET: randomBytes(32).toString('hex'), AUTH_ISSUER: 'bench', AUTH_AUDIENCE: 'bench' };
  const chains: Chain[] = [];
  const open = async (name: string, chain: ChainOptions['chain'], more: Partial<ChainOptions> = {}): Promise<void> => {
    const server = await ChainServer.start({ chain, token, minBytes: DEFAULT_MIN_BYTES, ...more });
    const pem = more.pair && { cert: readFileSync(more.pair.certificate), key: readFileSync(more.pair.key) };
    const target = { port: server.port, ...(pem && { ca: pem.cert.toString() }) };
    chains.push({ name, server, wire: await Http2CallWire.open(name, target, pem) });
  };
  try {
    const pair = makePair(folder);
    for (const chain of CHAINS) await open(chain, chain);
    await open('bare, mTLS', 'bare', { pair });
    await open('compression, mTLS', 'compression', { pair });
    await open('all compressed', 'compression', { minBytes: 0 });
    const authorization = `Bearer ${issueToken(token, { sub: 'bench', tenant: 'bench', scope: 'mail.read' }, 3600)}`;
    const figures = await measure(chains, authorization, options);
    const gzipFigures = await measureGzip(options.rounds);
    printInterceptors(figures, gzipFigures, options);
    if (options.write) writeInterceptors(figures, gzipFigures, options);
  } finally {
    for (const { server, wire } of chains) {
      wire.close();
      await server.stop();
    }
    rmSync(folder, { recursive: true });
  }
}

/** In turn, round after round, so that a machine that drifts drifts for all of it. */
async function measure(
  chains: readonly Chain[],
  authorization: string,
  { calls, rounds }: InterceptorsBenchOptions,
): Promise<ChainFigures[]> {
  const figures: ChainFigures[] = [];
  const all = chains.filter(({ name }) => name !== 'all compressed');
  const sized = chains.filter(({ name }) => name === 'authentication' || name === 'all compressed');
  for (const chain of chains) await load(chain, SMALL_PAGE, authorization, WARM_UP_CALLS);
  for (let round = 0; round < rounds; round++) {
    for (const chain of inTurn(all, round))
      figures.push({ round, part: 'chains', ...(await load(chain, SMALL_PAGE, authorization, calls)) });
    for (const mails of PAGES) {
      for (const chain of inTurn(sized, round)) figures.push({ round, part: 'sizes', ...(await load(chain, mails, authorization, calls)) });
    }
    console.error(`round ${round + 1} of ${rounds}`);
  }
  return figures;
}

/** So many calls, each caller's as soon as it has the answer to the one before. */
async function load({ name, server, wire }: Chain, mails: number, authorization: string, calls: number) {
  const request = listEmails(mails, authorization);
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
  return { chain: name, mails, perSecond, wireBytes, messageBytes: messageOf(mails).length, cpu };
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
