import { InvalidArgumentError } from '@sky-genesis/grpc';
import type {
  DeleteDocumentRequest,
  DeleteDocumentResponse,
  IndexDocumentRequest,
  IndexDocumentResponse,
  Values,
} from '@sky-genesis/proto';
import type { z } from 'zod';
import type { deleted, DeletionQuery, DocumentToIndex, DocumentToPut, indexed } from './document.schema';

export const toIndexDocumentRequest = (given: DocumentToIndex, requestRef = ''): IndexDocumentRequest => ({
  document: {
    id: given.id,
    title: given.title,
    content: given.content,
    url: given.url,
    attributes: toAttributes(given.attributes),
    timestamp: String(given.timestamp),
    version: String(given.version),
  },
  requestRef,
  tenant: '',
});

/** @throws InvalidArgumentError when path and body do not name the same document */
export function toPutRequest(id: string, given: DocumentToPut): IndexDocumentRequest {
  if (given.id !== undefined && given.id !== id) {
    throw new InvalidArgumentError([{ field: 'id', description: 'must be that of the path, or left out' }]);
  }
  return toIndexDocumentRequest({ ...given, id });
}

const toAttributes = (given: Record<string, string[]>): Record<string, Values> =>
  Object.fromEntries(Object.entries(given).map(([name, values]) => [name, { values }]));

export const fromIndexDocumentResponse = ({ id, status }: IndexDocumentResponse): z.output<typeof indexed> => ({ id, status });

export const toDeleteDocumentRequest = (id: string, { version = 0 }: DeletionQuery, requestRef = ''): DeleteDocumentRequest => ({
  id,
  version: String(version),
  tenant: '',
  requestRef,
});

export const fromDeleteDocumentResponse = (response: DeleteDocumentResponse): z.output<typeof deleted> => ({ deleted: response.deleted });

/** A document is the body itself in REST. */
export const toDocumentField = (field: string): string => (field === 'document' ? 'body' : field.replace(/^document\./, ''));
