import type { SearchClient } from '@sky-genesis/grpc';
import type { DeleteDocumentRequest, IndexDocumentRequest, IndexDocumentResult, IndexDocumentsRequest } from '@sky-genesis/proto';
import type { LineRoute } from '../http/ndjson.exchange';
import { validated } from '../http/request-validation.pipe';
import { deletionLine, documentLine } from './bulk.schema';
import { fromIndexDocumentResponse, toDeleteDocumentRequest, toDocumentField, toIndexDocumentRequest } from './document.mapper';

/** More than any request takes for fields that are empty, and for lengths. */
const FRAMING_BYTES = 128;
/** A name, or a value, is longer than in JSON by its tags and lengths, a number by the digits that `1e9` saves. */
const ATTRIBUTE_FRAMING_BYTES = 16;

/** What a line asks for: one of both. */
interface Change {
  id: string;
  index?: IndexDocumentRequest;
  deletion?: DeleteDocumentRequest;
}

/** IndexDocuments as lines: documents as they are put alone, and deletions. */
export const documentLines = (search: SearchClient): LineRoute<Change, IndexDocumentsRequest, IndexDocumentResult> => ({
  read(given, lineBytes, requestRef) {
    if (isDeletion(given)) {
      const { delete: id, version } = validated(deletionLine, given);
      return { request: { id, deletion: toDeleteDocumentRequest(id, { version }, requestRef) }, wireBytes: lineBytes + FRAMING_BYTES };
    }
    const document = validated(documentLine, given);
    const values = Object.values(document.attributes).reduce((sum, { length }) => sum + 1 + length, 0);
    const wireBytes = lineBytes + FRAMING_BYTES + values * ATTRIBUTE_FRAMING_BYTES;
    return { request: { id: document.id, index: toIndexDocumentRequest(document, requestRef) }, wireBytes };
  },
  // A message does not tell which came first, a document or its deletion.
  goesApart: (change, from) =>
    from.some(({ id, deletion }) => id === change.id && (deletion === undefined) !== (change.deletion === undefined)),
  toMessage: (changes) => ({
    requests: changes.flatMap(({ index }) => index ?? []),
    deletions: changes.flatMap(({ deletion }) => deletion ?? []),
    source: '',
    checkpoint: '',
    throughMs: '0',
  }),
  exchange: (messages, call) => search.indexDocuments(messages, call),
  fromResult: ({ response }) => response && fromIndexDocumentResponse(response),
  // Of a deletion, the contract calls it `id`; of a document, `document.id`.
  restName: (field) => (field === 'id' ? 'delete' : toDocumentField(field)),
  unanswered: 'The stream to the service ended before this line was answered: it may be carried out or not. It can be sent again.',
});

const isDeletion = (given: unknown): boolean => typeof given === 'object' && given !== null && 'delete' in given;
