import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { type ArgumentsHost, Catch, Controller, type ExceptionFilter, Get, Logger, Module, Req, UseGuards } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { type Caller, RuleError } from '@sky-genesis/grpc';
import { type Algorithm, decode, sign, type SignOptions } from 'jsonwebtoken';
import { authInterceptor } from './auth.interceptor';
import { AuthModule } from './auth.module';
import type { TokenSettings } from './auth.settings';
import { Calls } from './calls.decorator';
import { ContractServer } from './contract-server.fixture';
import { JwtAuthGuard } from './jwt-auth.guard';
import { ScopeGuard } from './scope.guard';
import { ServiceTokens } from './service-tokens';
import { TokenVerifier } from './token-verifier';

@Controller()
@UseGuards(JwtAuthGuard, ScopeGuard)
class EmailsController {
  @Get('email')
  @Calls('MailService/GetEmail')
  get(@Req() { user }: { user: Caller }) {
    return { ...user, scopes: [...user.scopes] };
  }

  @Get('forgotten')
  forgotten() {
    return 'reached';
  }
}

@Catch(RuleError)
class TellRuleError implements ExceptionFilter<RuleError> {
  catch({ code, reason, message }: RuleError, host: ArgumentsHost) {
    const http = host.switchToHttp();
    void http.getResponse<{ status(code: number): { send(body: object): void } }>().status(499).send({ code, reason, message });
  }
}

@Module({ controllers: [EmailsController] })
class EmailsModule {}

interface Signer {
  algorithm: Algorithm;
  key: KeyObject | Buffer;
  kid?: string;
}

/** What each test is run on: where keys come from, and who holds the private part. */
interface Source {
  settings: Partial<TokenSettings>;
  signer: Signer;
  /** Another algorithm, which is not accepted, with a key for it. */
  unpinned: Pick<Signer, 'algorithm' | 'key'>;
  /** What an attacker knows of the key. */
  publicPem: string;
}

const common = { NODE_ENV: 'test', AUTH_ISSUER: 'https://issuer.test', AUTH_AUDIENCE: 'sge' };
const good = { sub: 'ann', tenant: 'acme', scope: 'mail.send mail.read', senders: ['ann@Example.COM', '*@acme.test'] };
const ann = { subject: 'ann', tenant: 'acme', scopes: ['mail.send', 'mail.read'], senders: ['ann@example.com', '*@acme.test'] };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const wrongKeys: Partial<Record<Algorithm, KeyObject | Buffer>> = {
  HS256: randomBytes(32),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
};

const claimsOf = (claims: object): object =>
  JSON.parse(JSON.stringify({ iss: common.AUTH_ISSUER, aud: common.AUTH_AUDIENCE, exp: inSeconds(600), ...good, ...claims })) as object;
const token = ({ algorithm, key, kid }: Signer, claims: object = {}, options: SignOptions = {}): string =>
  sign(claimsOf(claims), key, { algorithm, ...(kid === undefined ? {} : { keyid: kid }), ...options });
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const unsigned = (alg: string) => `${encode({ alg, typ: 'JWT' })}.${encode(claimsOf({}))}.`;

/** The reason in the debug log, the same on both wires, and `authorization` as it comes: undefined for none. */
const bad: Record<string, [RegExp, (source: Source) => string | undefined]> = {
  none: [/no (auth )?token/i, () => undefined],
  'an empty one': [/no (auth )?token/i, () => ''],
  'another scheme': [/no (auth )?token/i, ({ signer }) => `Basic ${token(signer)}`],
  'no scheme': [/no (auth )?token/i, ({ signer }) => token(signer)],
  'two tokens': [/no (auth )?token/i, ({ signer }) => `Bearer ${token(signer)} ${token(signer)}`],
  garbage: [/not JSON/, () => 'Bearer garbage'],
  'garbage in three parts': [/not JSON/, () => 'Bearer a.b.c'],
  'a header that is not an object': [/header/, () => `Bearer ${Buffer.from('null').toString('base64url')}.e30.e30`],
  'claims that are not an object': [/audience/, ({ signer }) => `Bearer ${signText(signer, '"text"')}`],
  expired: [/expired/, ({ signer }) => `Bearer ${token(signer, { exp: inSeconds(-6) })}`],
  'not yet valid': [/not active/, ({ signer }) => `Bearer ${token(signer, { nbf: inSeconds(60) })}`],
  'without exp': [/exp/, ({ signer }) => `Bearer ${token(signer, { exp: undefined })}`],
  'exp as text': [/exp/, ({ signer }) => `Bearer ${signText(signer, claimsOf({ exp: String(inSeconds(600)) }))}`],
  'of another issuer': [/issuer/, ({ signer }) => `Bearer ${token(signer, { iss: 'https://other.test' })}`],
  'without issuer': [/issuer/, ({ signer }) => `Bearer ${token(signer, { iss: undefined })}`],
  'for another audience': [/audience/, ({ signer }) => `Bearer ${token(signer, { aud: ['other', 'more'] })}`],
  'without audience': [/audience/, ({ signer }) => `Bearer ${token(signer, { aud: undefined })}`],
  'unsigned, alg none': [/signature is required|algorithm/, () => `Bearer ${unsigned('none')}`],
  'unsigned, alg None': [/signature is required|algorithm/, () => `Bearer ${unsigned('None')}`],
  'unsigned, alg of the key': [/signature is required|no key/, ({ signer }) => `Bearer ${unsigned(signer.algorithm)}`],
  'HS256 signed with the public key': [
    /algorithm|invalid signature/,
    ({ publicPem }) => `Bearer ${token({ algorithm: 'HS256', key: Buffer.from(publicPem) })}`,
  ],
  'an algorithm that is not pinned': [/algorithm/, ({ signer, unpinned }) => `Bearer ${token({ ...signer, ...unpinned })}`],
  'signed by another key': [/invalid signature/, ({ signer }) => `Bearer ${token({ ...signer, key: wrongKeys[signer.algorithm]! })}`],
  'signed for other claims': [
    /invalid signature/,
    ({ signer }) => {
      const [header, , signature] = token(signer).split('.');
      return `Bearer ${header}.${encode(claimsOf({ tenant: 'other' }))}.${signature}`;
    },
  ],
  'with a critical extension': [
    /crit/,
    ({ signer }) => `Bearer ${token(signer, {}, { header: { alg: signer.algorithm, crit: ['sge'] } })}`,
  ],
  'without sub': [/sub/, ({ signer }) => `Bearer ${token(signer, { sub: undefined })}`],
  'sub as number': [/sub/, ({ signer }) => `Bearer ${signText(signer, claimsOf({ sub: 7 }))}`],
  'too long': [/longer/, ({ signer }) => `Bearer ${token(signer, { more: 'x'.repeat(6200) })}`],
  'with a bad tenant': [/tenant/, ({ signer }) => `Bearer ${token(signer, { tenant: '~ann' })}`],
  'with an empty tenant': [/tenant/, ({ signer }) => `Bearer ${token(signer, { tenant: '' })}`],
  'scope as list': [/scope/, ({ signer }) => `Bearer ${token(signer, { scope: ['mail.read'] })}`],
  'senders with *': [/senders/, ({ signer }) => `Bearer ${token(signer, { senders: ['*'] })}`],
};

/** jsonwebtoken's `sign` refuses registered claims of a wrong type, except as text. */
const signText = ({ algorithm, key, kid }: Signer, claims: object | string): string =>
  sign(typeof claims === 'string' ? claims : JSON.stringify(claims), key, {
    algorithm,
    header: { alg: algorithm, typ: 'JWT', ...(kid ? { kid } : {}) },
  });

const secret = randomBytes(32).toString('base64');
let published: Server;

const sources: Record<string, () => Source> = {
  'a shared secret': () => ({
    settings: { AUTH_SECRET: secret },
    signer: { algorithm: 'HS256', key: Buffer.from(secret) },
    unpinned: { algorithm: 'HS512', key: Buffer.from(secret) },
    publicPem: pemOf(rsa.publicKey),
  }),
  'a public key': () => ({
    settings: { AUTH_PUBLIC_KEY: pemOf(rsa.publicKey) },
    signer: { algorithm: 'RS256', key: rsa.privateKey },
    unpinned: { algorithm: 'RS512', key: rsa.privateKey },
    publicPem: pemOf(rsa.publicKey),
  }),
  'published keys': () => ({
    settings: { AUTH_JWKS_URI: `http://127.0.0.1:${(published.address() as AddressInfo).port}/` },
    signer: { algorithm: 'ES256', key: ec.privateKey, kid: 'ec' },
    unpinned: { algorithm: 'ES384', key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey },
    publicPem: pemOf(ec.publicKey),
  }),
};

beforeAll(async () => {
  Logger.overrideLogger(false);
  const set = JSON.stringify({ keys: [{ ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec' }] });
  published = createServer((_request, response) => response.end(set)).listen(0, '127.0.0.1');
  await once(published, 'listening');
});

afterAll(() => {
  published.close();
  published.closeAllConnections();
});

describe.each(Object.keys(sources))('with %s, both wires', (name) => {
  let source: Source;
  let server: ContractServer;
  let app: NestFastifyApplication;

  beforeAll(async () => {
    source = sources[name]!();
    const settings = { ...common, ...source.settings } as TokenSettings;
    const verifier = new TokenVerifier(settings);
    const serviceTokens = new ServiceTokens(undefined);
    server = await ContractServer.start([authInterceptor({ verifier, serviceTokens, allowAnonymous: false, openReflection: false })]);
    const testing = await Test.createTestingModule({ imports: [AuthModule.forRoot(settings), EmailsModule] }).compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new TellRuleError());
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });

  afterAll(async () => {
    server.close();
    await app.close();
  });

  const byGrpc = (authorization: string | undefined, path = '/sky_genesis.MailService/GetEmail') => {
    const metadata = new Metadata();
    if (authorization !== undefined) metadata.set('authorization', authorization);
    return server.call(path, metadata);
  };
  const byHttp = (authorization: string | undefined, url = '/email') =>
    app.inject({ url, headers: authorization === undefined ? {} : { authorization } });

  test.each([
    ['Bearer', 'as it comes', () => ({})],
    ['bearer', 'valid from now, for several audiences', () => ({ nbf: inSeconds(0), aud: ['other', 'sge'] })],
    ['BEARER', 'expired within the tolerance', () => ({ iat: inSeconds(-3600), exp: inSeconds(-1) })],
  ])('a good token is taken: %s, %s', async (scheme, _what, claims) => {
    const authorization = `${scheme} ${token(source.signer, claims())}`;
    await byGrpc(authorization);
    const { caller } = server.handled.at(-1)?.context ?? {};
    const { exp: expiresAt } = decode(authorization.slice(7)) as { exp: number };
    expect({ ...caller, scopes: [...(caller?.scopes ?? [])] }).toEqual({ ...ann, expiresAt });
    expect((await byHttp(authorization)).json()).toEqual({ ...ann, expiresAt });
  });

  test.each(Object.keys(bad))('a bad token is refused: %s', async (fault) => {
    const [reason, make] = bad[fault]!;
    const authorization = make(source);
    const before = server.handled.length;
    const log = jest.spyOn(Logger.prototype, 'debug').mockReset();
    await expect(byGrpc(authorization)).rejects.toMatchObject({ code: status.UNAUTHENTICATED, details: 'No valid auth token' });
    expect(server.handled).toHaveLength(before);
    expect((await byHttp(authorization)).json()).toEqual({
      code: 'UNAUTHENTICATED',
      reason: 'UNAUTHENTICATED',
      message: 'No valid auth token',
    });
    expect(log.mock.calls).toEqual([[expect.stringMatching(reason)], [expect.stringMatching(reason)]]);
  });

  test('a scope that the token lacks is named', async () => {
    const authorization = `Bearer ${token(source.signer, { scope: 'mail.send' })}`;
    const message = 'the token lacks the scope mail.read';
    await expect(byGrpc(authorization)).rejects.toMatchObject({ code: status.PERMISSION_DENIED, details: message });
    expect((await byHttp(authorization)).json()).toEqual({ code: 'PERMISSION_DENIED', reason: 'SCOPE_MISSING', message });
  });

  test('a route that names no RPC is closed', async () => {
    const answer = await byHttp(`Bearer ${token(source.signer)}`, '/forgotten');
    expect(answer.json()).toMatchObject({ reason: 'SCOPE_MISSING' });
  });
});

describe('keys that cannot be had', () => {
  test('are the fault of the server, not of the token', async () => {
    const settings = { ...common, AUTH_JWKS_URI: 'http://127.0.0.1:9/' } as TokenSettings;
    const testing = await Test.createTestingModule({ imports: [AuthModule.forRoot(settings), EmailsModule] }).compile();
    const app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app.useGlobalFilters(new TellRuleError());
    await app.init();
    const authorization = `Bearer ${token({ algorithm: 'ES256', key: ec.privateKey })}`;
    const answer = await app.inject({ url: '/email', headers: { authorization } });
    await app.close();
    expect(answer.json()).toMatchObject({ code: 'UNAVAILABLE', reason: 'SERVICE_UNAVAILABLE' });
  });
});
