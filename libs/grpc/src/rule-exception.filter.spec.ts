import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { Controller, type INestMicroservice, Logger, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { callContext } from './call-context';
import { fromServiceError } from './grpc-status';
import { GrpcServer } from './grpc-server';
import { LIMITS, ask, freePort } from './loopback.fixture';
import { RuleError } from './rule-error';
import { RuleExceptionFilter } from './rule-exception.filter';

@Controller()
@UseFilters(RuleExceptionFilter)
class EmailsController {
  @GrpcMethod('MailService', 'GetEmail')
  get({ id }: { id: string }): unknown {
    if (id === 'rule') throw new RuleError('EMAIL_NOT_FOUND', 'no email has this id');
    if (id === 'caused') throw Object.assign(new RuleError('STORE_UNAVAILABLE'), { cause: new Error('EIO /var/files') });
    if (id === 'defect') throw new Error('password=hunter2');
    return { status: callContext.getStore()?.requestId };
  }

  @GrpcMethod('MailService', 'ListEmails')
  async list(): Promise<unknown> {
    await Promise.resolve();
    throw new RuleError('QUEUE_FULL', undefined, { retryAfterSeconds: 3 });
  }
}

let app: INestMicroservice;
let client: Client;

beforeAll(async () => {
  const url = `127.0.0.1:${await freePort()}`;
  const limits = { ...LIMITS, GRPC_TIMEOUT: 5 };
  const { options } = new GrpcServer({ url, services: [], reflection: true, limits, isTrusted: () => false, interceptors: {} });
  const module = await Test.createTestingModule({ controllers: [EmailsController] }).compile();
  app = module.createNestMicroservice({ ...options, logger: false });
  await app.listen();
  client = new Client(url, credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await app.close();
});

const failure = async (method: string, id: string): Promise<ServiceError> => (await ask(client, method, { id })).error!;

test('Nest starts what GrpcServer says: the handler is inside the call context', async () => {
  const { response, initialMetadata } = await ask(client, 'GetEmail', { id: 'x' });
  expect(response).toMatchObject({ status: initialMetadata?.get('x-request-id')[0] });
});

test('an error of a rule keeps its reason and message', async () => {
  const error = await failure('GetEmail', 'rule');
  expect(error.code).toBe(status.NOT_FOUND);
  expect(fromServiceError(error)).toMatchObject({ reason: 'EMAIL_NOT_FOUND', message: 'no email has this id' });
});

test('what is behind an error of a rule is logged, and told to nobody', async () => {
  const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const error = await failure('GetEmail', 'caused');
  expect(fromServiceError(error).reason).toBe('STORE_UNAVAILABLE');
  expect(error.details).not.toContain('EIO');
  const told = { err: expect.objectContaining({ cause: new Error('EIO /var/files') }) as unknown };
  expect(logged).toHaveBeenCalledWith(expect.objectContaining(told), 'a call failed: STORE_UNAVAILABLE');
  logged.mockClear();
  await failure('GetEmail', 'rule');
  expect(logged).not.toHaveBeenCalled();
  logged.mockRestore();
});

test('so does one thrown later, with its details', async () => {
  const error = fromServiceError(await failure('ListEmails', ''));
  expect(error).toMatchObject({ reason: 'QUEUE_FULL', details: { retryAfterSeconds: 3 } });
});

test('a defect is logged whole with the request id, and told as INTERNAL without detail', async () => {
  const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const error = await failure('GetEmail', 'defect');
  expect(fromServiceError(error).reason).toBe('INTERNAL');
  expect(JSON.stringify([error.details, error.metadata.toJSON()])).not.toContain('hunter2');
  const [entry] = logged.mock.calls[0] as unknown as [{ err: Error; requestId: string }];
  expect(entry.err.message).toContain('hunter2');
  expect(error.metadata.get('x-request-id')).toEqual([entry.requestId]);
});

test('outside gRPC the error is left to others', () => {
  const thrown = new RuleError('INTERNAL');
  const http = { getType: () => 'http' } as Parameters<RuleExceptionFilter['catch']>[1];
  expect(() => new RuleExceptionFilter().catch(thrown, http)).toThrow(thrown);
});
