import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { connect, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { status as Code } from '@grpc/grpc-js';
import { readGatewayConfig } from '../../apps/api-gateway/src/gateway.config';
import { startGateway } from '../../apps/api-gateway/src/start-gateway';
import { type Pair, TestAuthority } from '../test-authority';
import type { Finding } from '../../tools/doctor/finding';
import { freePort } from '../free-port';
import { TestStack } from '../stack';
import { grpcurl, grpcurlReading } from './grpcurl';
import { describeWith } from './provisioned';

const DOCTOR = resolve(__dirname, '../../tools/dist/doctor/main.js');
const MAIL = { to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' };
const GRPC_TIMEOUT = '2';

/** What a person sees of each, on REST, by grpcurl and by npm run doctor: docs/troubleshooting.md shows the same. */
describeWith('grpcurl')('the four troubles of the seed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troubles-'));
  const closers: (() => unknown)[] = [];
  let stack: TestStack;
  let mail: string;

  beforeAll(async () => {
    stack = await TestStack.started({ GRPC_TIMEOUT });
    mail = `127.0.0.1:${stack.description.ports.mail_grpc}`;
  }, 90_000);

  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  afterAll(async () => {
    await stack.remove();
    rmSync(folder, { recursive: true });
  }, 60_000);

  /** A gateway that looks for mail elsewhere than the stack has it. */
  async function gatewayTo(address: string): Promise<{ environment: Record<string, string>; url: string }> {
    const environment = {
      AUTH_SECRET_FILE: join(stack.dataFolder, 'secrets/auth-secret'),
      AUTH_ISSUER: 'sge-local',
      AUTH_AUDIENCE: 'sge',
      DRAIN_NOTICE_SECONDS: '0',
      LOG_LEVEL: 'silent',
      HTTP_PORT: String(await freePort()),
      GRPC_MAIL_SERVICE_ADDR: address,
      GRPC_SEARCH_SERVICE_ADDR: `127.0.0.1:${stack.description.ports.search_grpc}`,
      GRPC_TIMEOUT,
    };
    const gateway = await startGateway(readGatewayConfig(environment));
    closers.push(() => gateway.close());
    return { environment, url: gateway.url };
  }

  const send = async (url: string, body: object = MAIL) => {
    const headers = { authorization: `Bearer ${stack.description.token}`, 'content-type': 'application/json' };
    const answer = await fetch(new URL('/api/v1/mail/send', url), { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, type: answer.headers.get('content-type'), body: (await answer.json()) as Record<string, unknown> };
  };

  /** The command as it is built, in a process of its own, beside a person's other settings. */
  const doctor = (environment: Record<string, string>, ...args: string[]) =>
    new Promise<{ code: number; text: string; failures: Finding[] }>((done) => {
      const env = { PATH: process.env['PATH'], SGE_DATA_DIR: stack.dataFolder, ...environment };
      execFile(process.execPath, [DOCTOR, '--json', ...args], { env }, (error, text) => {
        const findings = JSON.parse(text) as Finding[];
        done({ code: error ? Number(error.code) : 0, text, failures: findings.filter(({ state }) => state === 'failure') });
      });
    });

  const byGrpcurl = (...args: string[]) => grpcurl('-d', '{}', ...args, 'grpc.health.v1.Health/Check');

  test('none of them: the doctor finds the stack by itself, and all is well', async () => {
    const { code, failures } = await doctor({});
    expect(failures).toEqual([]);
    expect(code).toBe(0);
  }, 20_000);

  test('connection refused', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    const { environment, url } = await gatewayTo(nowhere);

    const rest = await send(url);
    expect(rest).toMatchObject({ status: 503, type: 'application/problem+json', body: { code: 'SERVICE_UNAVAILABLE' } });
    expect(rest.body['detail']).toBe('The service mail cannot be reached: connection refused, nobody listens at its address.');
    expect(rest.body['facts']).toEqual({ service: 'mail', cause: 'CONNECTION_REFUSED' });
    expect(JSON.stringify(rest.body)).not.toContain(nowhere);

    // It keeps trying, and says no more than that it did.
    await expect(byGrpcurl('-connect-timeout', '1', nowhere)).rejects.toThrow(
      `Failed to dial target host "${nowhere}": context deadline exceeded`,
    );

    const { code, failures } = await doctor(environment, '--app', 'gateway');
    expect(code).toBe(1);
    expect(failures).toContainEqual({
      what: `mail ${nowhere}`,
      state: 'failure',
      found: `connection refused by ${nowhere}`,
      todo: 'Nothing listens there: start mail, or put right where it is (GRPC_MAIL_SERVICE_ADDR).',
    });
    expect(failures).toContainEqual(
      expect.objectContaining({ found: '/health/ready answers 503', todo: expect.stringContaining('GRPC_MAIL_SERVICE_ADDR') }),
    );
  }, 30_000);

  describe('TLS', () => {
    const ours = new TestAuthority('Our authority');
    const stranger = new TestAuthority('A stranger');

    /** TLS before mail; its port. */
    async function tlsBefore(pair: Pair): Promise<number> {
      const { port } = new URL(`http://${mail}`);
      const server: Server = createTlsServer({ ...pair, ALPNProtocols: ['h2'] }, (socket) => {
        const onward = connect(Number(port), '127.0.0.1');
        socket.pipe(onward).pipe(socket);
        for (const end of [socket, onward]) end.on('error', () => void [socket.destroy(), onward.destroy()]);
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
      closers.push(() => server.close());
      return (server.address() as AddressInfo).port;
    }

    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const caFile = () => file('ca.pem', ours.certificate);
    const tlsSettings = () => {
      const { cert, key } = ours.issue({ dns: ['gateway'] });
      return { GRPC_TLS_CERT: file('cert.pem', cert), GRPC_TLS_KEY: file('key.pem', key), GRPC_TLS_CA: caFile() };
    };
    const elsewhere = { GRPC_SEARCH_SERVICE_ADDR: '127.0.0.1:1' };
    const ofMail = ({ failures }: { failures: Finding[] }) => failures.filter(({ what }) => what.startsWith('mail '));

    test('there, and not here', async () => {
      const address = `localhost:${await tlsBefore(ours.issue({ dns: ['localhost'] }))}`;
      const { environment, url } = await gatewayTo(address);
      expect(await send(url)).toMatchObject({
        status: 503,
        body: { code: 'SERVICE_UNAVAILABLE', facts: { service: 'mail', cause: 'TLS_SERVER' } },
      });
      await expect(byGrpcurl('-max-time', '3', address)).rejects.toThrow(/error reading server preface|context deadline exceeded|EOF/);
      expect(ofMail(await doctor(environment, '--app', 'gateway'))).toEqual([
        expect.objectContaining({
          found: expect.stringMatching(/^speaks TLS \(certificate of DNS:localhost, .*which the settings here do not$/),
        }),
      ]);
    }, 30_000);

    test('here, and not there', async () => {
      await expect(byGrpcurl('-cacert', caFile(), mail)).rejects.toThrow('first record does not look like a TLS handshake');
      const found = await doctor({ ...elsewhere, ...tlsSettings(), GRPC_MAIL_SERVICE_ADDR: mail }, '--app', 'gateway');
      expect(ofMail(found)).toEqual([expect.objectContaining({ found: expect.stringContaining('does not speak TLS') })]);
    }, 30_000);

    test.each([
      [
        'of an authority that is not trusted',
        stranger.issue({ dns: ['localhost'] }),
        /certificate signed by unknown authority/,
        /signed by CN=A stranger, which is not trusted/,
      ],
      [
        'for another name',
        ours.issue({ dns: ['search'] }),
        /certificate is valid for search, not localhost/,
        /is for DNS:search, not for localhost or mail/,
      ],
      [
        'that has expired',
        ours.issue({ dns: ['localhost'], from: new Date('2026-01-01'), to: new Date('2026-02-01') }),
        /certificate has expired/,
        /expired on 2026-02-01/,
      ],
    ])(
      'a certificate %s',
      async (_what, pair, toldByGrpcurl, told) => {
        const address = `localhost:${await tlsBefore(pair)}`;
        await expect(byGrpcurl('-cacert', caFile(), address)).rejects.toThrow(toldByGrpcurl);
        const found = await doctor({ ...elsewhere, ...tlsSettings(), GRPC_MAIL_SERVICE_ADDR: address }, '--app', 'gateway');
        expect(ofMail(found)).toEqual([expect.objectContaining({ found: expect.stringMatching(told) })]);
      },
      30_000,
    );
  });

  test('timeouts: mail stands still', async () => {
    const pid = stack.description.pids.mail ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      const [rest, called, { code, failures }] = await Promise.all([
        stack.rest('POST', '/api/v1/mail/send', MAIL),
        grpcurl('-max-time', '2', '-d', '{}', mail, 'grpc.health.v1.Health/Check').catch((error: Error) => error),
        doctor({}),
      ]);
      expect(rest).toMatchObject({ status: 504, body: { code: 'DEADLINE_EXCEEDED' } });
      expect(called instanceof Error ? called.message : called).toMatch(/deadline/i);
      expect(code).toBe(1);
      expect(failures).toContainEqual(expect.objectContaining({ what: `mail ${mail}`, found: 'no answer within 3 s' }));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  }, 30_000);

  test('message size', async () => {
    const body = { ...MAIL, body: 'x'.repeat(5_000_000) };
    const limit = 'larger than 4194304 bytes, the limit that GRPC_MAX_MESSAGE_SIZE sets';
    const facts = { limit_bytes: '4194304', setting: 'GRPC_MAX_MESSAGE_SIZE' };

    const rest = await send(stack.description.urls.gateway, body);
    const size = String(JSON.stringify(body).length);
    expect(rest).toMatchObject({ status: 413, body: { code: 'MESSAGE_TOO_LARGE', facts: { ...facts, size_bytes: size } } });
    expect(rest.body['detail']).toBe(`the body of ${size} bytes is ${limit}`);

    const { token } = stack.description;
    const request = JSON.stringify({ email: body });
    const called = await grpcurlReading(
      request,
      '-H',
      `authorization: Bearer ${token}`,
      '-d',
      '@',
      mail,
      'sky_genesis.MailService/SendEmail',
    );
    expect(called.code).toBe(Code.RESOURCE_EXHAUSTED);
    expect(called.message).toMatch(new RegExp(`^the message of 50000\\d\\d bytes is ${limit}$`));

    const other = { GRPC_MAX_MESSAGE_SIZE: '8388608', GRPC_MAIL_SERVICE_ADDR: mail, GRPC_SEARCH_SERVICE_ADDR: mail };
    const { failures } = await doctor(other, '--app', 'gateway');
    expect(failures).toContainEqual(
      expect.objectContaining({
        what: 'message size',
        found: expect.stringContaining(`mail ${mail} takes 4194304 bytes`),
        todo: expect.stringContaining('GRPC_MAX_MESSAGE_SIZE'),
      }),
    );
  }, 30_000);
});
