import { type ClientRequest, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RuleError } from '@sky-genesis/grpc';
import fastify, { type FastifyInstance } from 'fastify';
import { addBodyBudget } from './body-budget.hook';

const KIB = 1024;
let server: FastifyInstance;

beforeEach(async () => {
  server = fastify({ bodyLimit: 64 * KIB });
  server.setErrorHandler((error, _request, reply) => {
    void reply.status(503).send(error instanceof RuleError ? error.reason : error);
  });
  addBodyBudget(server, 100 * KIB, 64 * KIB);
  server.post('/', () => 'taken');
  await server.listen({ port: 0, host: '127.0.0.1' });
});
afterEach(() => server.close());

/** Begins a request whose body is announced but not sent, and resolves once the server has its head. */
const hold = async (headers: Record<string, string>): Promise<ClientRequest> => {
  const begun = new Promise((resolve) => server.server.once('request', resolve));
  const { port } = server.server.address() as AddressInfo;
  const held = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-type': 'application/json', ...headers } });
  held.on('error', () => undefined);
  held.flushHeaders();
  await begun;
  return held;
};
const post = (bytes: number) => server.inject({ method: 'POST', url: '/', payload: JSON.stringify('x'.repeat(bytes)), headers: JSON_TYPE });
const JSON_TYPE = { 'content-type': 'application/json' };

test('refuses a body that would not fit beside those being held, and takes small ones on', async () => {
  const held = await hold({ 'content-length': String(60 * KIB) });
  expect((await post(50 * KIB)).body).toBe('OVERLOADED');
  expect((await post(10 * KIB)).body).toBe('taken');
  held.destroy();
});

test('a body of unknown length counts as the longest', async () => {
  const held = await hold({ 'transfer-encoding': 'chunked' });
  expect((await post(50 * KIB)).body).toBe('OVERLOADED');
  held.destroy();
});

test('gives back what a client held that went away', async () => {
  const held = await hold({ 'content-length': String(60 * KIB) });
  expect((await post(50 * KIB)).body).toBe('OVERLOADED');
  held.destroy();
  // The server learns of it a moment later; if it never did, this would never end.
  while ((await post(50 * KIB)).body !== 'taken') await new Promise((resolve) => setImmediate(resolve));
});
