import type { MethodDefinition } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { encodeGrpcMessage } from '#http3/grpc-frames';
import type { WireRequest } from './call-wire';

const MEBIBYTE = 2 ** 20;
const BODY_BYTES = 1000;
/** The same in all files: of the same content mail keeps one. */
const PIECE = Buffer.alloc(MEBIBYTE, 'an edge');

const mail = {
  from: 'Sender <sender@example.com>',
  to: ['recipient@example.com'],
  subject: 'A mail of about one kilobyte',
  body: 'x'.repeat(BODY_BYTES),
};

export type EdgeRequests = ReturnType<typeof edgeRequests>;

/** What the apps are asked, directly and through the edge: byte for byte the same. */
export function edgeRequests(token: string) {
  const contract = loadPackage() as unknown as Record<string, Record<string, MethodDefinition<object, object>>>;
  const authorization = `Bearer ${token}`;

  const get = (path: string): WireRequest => ({ method: 'GET', path, headers: { authorization } });
  const post = (path: string, type: string, bytes: number, body: WireRequest['body']): WireRequest => ({
    method: 'POST',
    path,
    headers: { authorization, 'content-type': type, 'content-length': String(bytes) },
    body,
  });
  const rpc = (service: string, name: string, [first = {}, ...others]: readonly object[]): WireRequest => {
    const method = contract[`sky_genesis.${service}`]?.[name];
    if (!method) throw new Error(`the contract has no ${service}/${name}`);
    const encode = (message: object): Buffer => encodeGrpcMessage(method.requestSerialize(message));
    const stream = function* () {
      for (const message of [first, ...others]) yield encode(message);
    };
    const body = others.length === 0 ? encode(first) : stream;
    return { method: 'POST', path: method.path, headers: { authorization, 'content-type': 'application/grpc', te: 'trailers' }, body };
  };

  return {
    getEmail: (id: string) => rpc('MailService', 'GetEmail', [{ id }]),
    submitEmail: () => rpc('MailService', 'SubmitEmail', [{ email: mail }]),
    restList: () => get('/api/v1/mail'),
    restGet: (id: string) => get(`/api/v1/mail/${id}`),
    restSend: () => {
      const body = Buffer.from(JSON.stringify(mail));
      return post('/api/v1/mail/send', 'application/json', body.length, body);
    },
    restDownload: (fileId: string) => get(`/api/v1/files/${fileId}`),
    restUpload: (mebibytes: number) =>
      post('/api/v1/files', 'application/octet-stream', mebibytes * MEBIBYTE, () => Array.from({ length: mebibytes }, () => PIECE)),
    downloadFile: (fileId: string) => rpc('StreamingService', 'DownloadFile', [{ fileId }]),
    uploadFile: (mebibytes: number) =>
      rpc(
        'StreamingService',
        'UploadFile',
        Array.from({ length: mebibytes }, (_, at) => ({ offset: String(at * MEBIBYTE), data: PIECE, last: at === mebibytes - 1 })),
      ),
  };
}
