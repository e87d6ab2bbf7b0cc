import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageTypeDefinition, ServiceDefinition } from '@grpc/proto-loader';
import { loadPackage } from './load-package';

const ROOT = join(__dirname, '../../..');

/** What is used here of google.protobuf.FieldDescriptorProto and its like, as proto3 JSON. */
interface FieldDescriptor {
  name: string;
  number: number;
  label: string;
  type: string;
  typeName?: string;
  jsonName: string;
  oneofIndex?: number;
}
interface MessageDescriptor {
  name: string;
  field: FieldDescriptor[];
  oneofDecl?: object[];
  nestedType?: { name: string; options?: object }[];
}
interface FileDescriptor {
  name: string;
  dependency?: string[];
  messageType: MessageDescriptor[];
}

/** The descriptors that reflection tells, read by buf rather than by the library that served them. */
function toldFiles(): FileDescriptor[] {
  const parts = messageTypes()[0]!.fileDescriptorProtos.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]);
  const options = ['build', '-#format=binpb', '--as-file-descriptor-set', '-o', '-#format=json'];
  const json = execFileSync(join(ROOT, 'node_modules/.bin/buf'), options, { cwd: ROOT, input: Buffer.concat(parts), maxBuffer: 2 ** 26 });
  return (JSON.parse(json.toString()) as { file: FileDescriptor[] }).file;
}

const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]);

/** The type of each message of the package, and those that methods refer to. */
function messageTypes(): MessageTypeDefinition<object, object>[] {
  return Object.values(loadPackage()).flatMap((entry) => {
    if ('fileDescriptorProtos' in entry) return [entry as MessageTypeDefinition<object, object>];
    return Object.values(entry).flatMap((method) => [method.requestType, method.responseType]);
  });
}

const contract = toldFiles().find(({ name }) => name === 'sky_genesis.proto')!;
const messageOf = (name: string) => contract.messageType.find((message) => message.name === name)!;

type Field = [name: string, number: number, type: string, label: string];
const told = ({ name, number, type, typeName, label, oneofIndex }: FieldDescriptor): Field | string =>
  oneofIndex === undefined ? [name, number, typeName ?? type.replace('TYPE_', ''), label.replace('LABEL_', '')] : `${name} is in a oneof`;

describe('published code builds these messages field by field: they stay exactly as they are', () => {
  const frozen: Record<string, Field[]> = {
    Email: [
      ['id', 1, 'STRING', 'OPTIONAL'],
      ['from', 2, 'STRING', 'OPTIONAL'],
      ['to', 3, 'STRING', 'REPEATED'],
      ['subject', 4, 'STRING', 'OPTIONAL'],
      ['body', 5, 'STRING', 'OPTIONAL'],
      ['timestamp', 6, 'INT64', 'OPTIONAL'],
      ['attachments', 7, '.sky_genesis.Attachment', 'REPEATED'],
    ],
    SendEmailRequest: [['email', 1, '.sky_genesis.Email', 'OPTIONAL']],
    SendEmailResponse: [
      ['message_id', 1, 'STRING', 'OPTIONAL'],
      ['status', 2, 'STRING', 'OPTIONAL'],
      ['timestamp', 3, 'INT64', 'OPTIONAL'],
    ],
  };

  test.each(Object.entries(frozen))('%s', (name, fields) => {
    const { field, oneofDecl } = messageOf(name);
    expect(field.map(told)).toEqual(fields);
    expect(oneofDecl).toBeUndefined();
  });
});

test('the contract can be used alone: it imports nothing but google/protobuf/*', () => {
  const dependency = contract.dependency ?? [];
  expect(dependency.filter((path) => !path.startsWith('google/protobuf/'))).toEqual([]);
  const source = readFileSync(join(ROOT, 'libs/proto/sky_genesis.proto'), 'utf8');
  const imported = [...source.matchAll(/^\s*import\s+(?:\w+\s+)?"([^"]+)"/gm)].map(([, path]) => path);
  expect(imported).toEqual(dependency);
});

test('the package holds our services and grpc.health.v1', () => {
  const services = Object.entries(loadPackage()).filter(([, entry]) => !('format' in entry));
  expect(services.map(([name]) => name).sort()).toEqual([
    'grpc.health.v1.Health',
    'sky_genesis.MailService',
    'sky_genesis.SearchService',
    'sky_genesis.StreamingService',
  ]);
  expect(loadPackage()).toBe(loadPackage());
});

describe('reflection tells the descriptors as buf wrote them', () => {
  test('on every message, and on the types of every method', () => {
    const files = messageTypes()[0]!.fileDescriptorProtos;
    for (const type of messageTypes()) expect(type.fileDescriptorProtos).toBe(files);
    expect(toldFiles().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sky_genesis.proto', 'health/v1/health.proto', 'google/protobuf/any.proto']),
    );
  });

  test('a map stays a map, and json names are there', () => {
    const { field, nestedType } = messageOf('EmailOptions');
    const headers = field.find(({ name }) => name === 'headers');
    expect(headers).toMatchObject({ typeName: '.sky_genesis.EmailOptions.HeadersEntry', label: 'LABEL_REPEATED', jsonName: 'headers' });
    expect(field.find(({ name }) => name === 'html_body')?.jsonName).toBe('htmlBody');
    expect(nestedType?.find(({ name }) => name === 'HeadersEntry')?.options).toMatchObject({ mapEntry: true });
  });
});

describe('messages decode into what the generated types say', () => {
  const { SubmitEmail, SubmitEmails, GetEmail } = loadPackage()['sky_genesis.MailService'] as ServiceDefinition;
  const roundTrip = (request: object) => SubmitEmail!.requestDeserialize(SubmitEmail!.requestSerialize(request)) as Record<string, never>;

  test('an int64 is a string, whole at any size', () => {
    const { email } = roundTrip({ email: { timestamp: '9007199254740993' } });
    expect(email).toMatchObject({ timestamp: '9007199254740993' });
  });

  test('fields left out have their default, lists are there, messages are null', () => {
    expect(roundTrip({})).toEqual({ email: null, options: null, idempotencyKey: '', requestRef: '' });
    expect(roundTrip({ email: {} })['email']).toMatchObject({ from: '', to: [], timestamp: '0', attachments: [] });
  });

  test('an enum is its name', () => {
    expect(roundTrip({ options: { onUncertain: 2 } })['options']).toMatchObject({ onUncertain: 'UNCERTAIN_POLICY_RESEND' });
  });

  test('names are camelCase, also of answers', () => {
    const answer = { recipients: [{ lastReply: '250 ok', nextAttemptAt: '7' }] };
    expect(GetEmail!.responseDeserialize(GetEmail!.responseSerialize(answer))).toMatchObject(answer);
  });

  test('the details of a Failure have a typeUrl', () => {
    const details = [{ typeUrl: 'type.googleapis.com/google.rpc.ErrorInfo', value: Buffer.from('bytes') }];
    const answer = { results: [{ requestRef: 'a', failure: { code: 3, message: 'm', details } }] };
    expect(SubmitEmails!.responseDeserialize(SubmitEmails!.responseSerialize(answer))).toMatchObject(answer);
  });

  test('a header called __proto__ is a header like any other, and no prototype', () => {
    // SubmitEmailRequest { options: { headers: { __proto__: 'x' } } }, byte by byte.
    const entry = Buffer.concat([lengthDelimited(1, '__proto__'), lengthDelimited(2, 'x')]);
    const request = lengthDelimited(2, lengthDelimited(5, entry));
    const { headers } = (SubmitEmail!.requestDeserialize(request) as { options: { headers: Record<string, string> } }).options;
    expect(Object.entries(headers)).toEqual([['__proto__', 'x']]);
    expect(Object.hasOwn(headers, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  function lengthDelimited(field: number, value: string | Buffer): Buffer {
    const bytes = Buffer.from(value as string);
    return Buffer.concat([Buffer.from([(field << 3) | 2, bytes.length]), bytes]);
  }
});
