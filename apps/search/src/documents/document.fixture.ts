import type { DocumentDraft } from './check-document';

export const draftOf = (id: string, over: Partial<DocumentDraft> = {}): DocumentDraft => ({
  id,
  title: `title of ${id}`,
  content: 'content',
  url: `/docs/${id}`,
  attributes: {},
  timestamp: '0',
  version: '0',
  ...over,
});
