import type { MethodDefinition } from '@grpc/grpc-js';
import { fromServiceError, type RuleError } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import type { GrpcAnswer } from './edge.wire';

type Codec = Pick<MethodDefinition<object, object>, 'requestSerialize' | 'responseDeserialize'>;

const codecs = new Map<string, Codec>(
  Object.values(loadPackage()).flatMap((definition) =>
    'format' in definition
      ? []
      : Object.values(definition as Record<string, MethodDefinition<object, object>>).map((each) => [each.path, each] as const),
  ),
);

/** A request message as it is on the wire. @param path /package.Service/Method */
export const encoded = (path: string, request: object): Buffer => codecOf(path).requestSerialize(request);

/** The messages that answered. */
export const decoded = <Response>(path: string, { responses }: Pick<GrpcAnswer, 'responses'>): Response[] =>
  responses.map((response) => codecOf(path).responseDeserialize(response) as Response);

/** The error that a call ended with, its details read: as a client of the contract sees it. */
export function errorOf({ status, message, headers, trailers }: GrpcAnswer): RuleError {
  const metadata = new Metadata();
  const details = trailers['grpc-status-details-bin'] ?? headers['grpc-status-details-bin'];
  if (details !== undefined) metadata.set('grpc-status-details-bin', Buffer.from(details, 'base64'));
  return fromServiceError(Object.assign(new Error(message), { code: status ?? 2, details: message, metadata }) as ServiceError);
}

function codecOf(path: string): Codec {
  const codec = codecs.get(path);
  if (!codec) throw new Error(`the contract has no ${path}`);
  return codec;
}
