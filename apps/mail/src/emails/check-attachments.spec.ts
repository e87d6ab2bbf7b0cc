import { formatFileId } from '../files/file-id';
import { checkAttachments, type NamedFiles, namedFiles } from './check-attachments';
import { Violations } from './check-fields';
import { attachment, limits, storedFile } from './email.fixture';
import type { AttachmentDraft } from './new-email';

const NONE = Buffer.alloc(0);
const STRANGE = '0190a0b0-0000-7000-8000-00000000dead';
const UNFINISHED = '0190a0b0-0000-7000-8000-00000000beef';
const file = storedFile(Buffer.from('file'));
const nameless = storedFile(Buffer.from('file'), { id: '0190a0b0-0000-7000-8000-00000000cafe', filename: '' });
const named: NamedFiles = {
  complete: new Map([file, nameless].map((each) => [each.id, each])),
  unfinished: new Set([UNFINISHED]),
};

const checkAll = (attachments: AttachmentDraft[]) => {
  const violations = new Violations();
  return { checked: checkAttachments(attachments, named, limits, violations), found: violations.found };
};
const check = (over: Parameters<typeof attachment>[0]) => checkAll([attachment(over)]).found;

test.each([
  {},
  { contentType: '' },
  { contentType: 'text/plain; charset=utf-8' },
  { contentType: 'text/plain;charset="a b"; format=flowed' },
  { contentType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document' },
  { filename: 'Grüße "1".pdf' },
  { filename: 'x'.repeat(255) },
  { content: Buffer.alloc(0) },
  { contentId: 'logo$1@example.com' },
  { contentId: 'x'.repeat(255) },
])('%j: taken', (over) => {
  expect(check(over)).toEqual([]);
});

test.each([
  [{ filename: '' }, 'filename', 'is required'],
  [{ filename: 'x'.repeat(256) }, 'filename', 'at most 255'],
  [{ filename: 'a\r\nb' }, 'filename', 'control'],
  [{ filename: 'a\tb' }, 'filename', 'control'],
  [{ filename: 'a\0b' }, 'filename', 'control'],
  [{ filename: 'a\ud800' }, 'filename', 'control'],
  [{ filename: '../a' }, 'filename', 'must not contain /'],
  [{ filename: 'C:\\a' }, 'filename', 'must not contain /'],
  [{ contentType: 'pdf' }, 'content_type', 'media type'],
  [{ contentType: 'text/plain\r\nX: y' }, 'content_type', 'media type'],
  [{ contentType: 'text/plain; a="b\r\nc"' }, 'content_type', 'media type'],
  [{ contentType: 'text/plain;' }, 'content_type', 'media type'],
  [{ contentType: 'text/*' }, 'content_type', 'media type'],
  [{ contentType: `text/${'x'.repeat(128)}` }, 'content_type', 'media type'],
  [{ contentType: 'text/plain; a=1; b=2; c=3; d=4; e=5' }, 'content_type', 'media type'],
  [{ contentId: '<x@y>' }, 'content_id', 'printable'],
  [{ contentId: 'a b' }, 'content_id', 'printable'],
  [{ contentId: 'ü' }, 'content_id', 'printable'],
  [{ contentId: 'a\r\n' }, 'content_id', 'printable'],
  [{ contentId: 'x'.repeat(256) }, 'content_id', 'at most 255'],
  [{ fileId: 'file_1' }, 'file_id', 'excludes content'],
  [{ fileId: 'file_1', content: NONE }, 'file_id', 'names no file of yours'],
  [{ fileId: STRANGE, content: NONE }, 'file_id', 'names no file of yours'],
  [{ fileId: STRANGE, content: NONE, filename: '' }, 'file_id', 'names no file of yours'],
  [{ fileId: formatFileId(UNFINISHED), content: NONE }, 'file_id', 'is an upload that is not complete'],
  [{ fileId: formatFileId(file.id) }, 'file_id', 'excludes content'],
  [{ fileId: nameless.id, content: NONE, filename: '' }, 'filename', 'is required'],
  [{ fileId: file.id, content: NONE, filename: 'a/b' }, 'filename', 'must not contain /'],
])('%j: refused', (over, field, words) => {
  expect(check(over)).toEqual([{ field: `email.attachments[0].${field}`, description: expect.stringContaining(words) }]);
});

test('what an attachment leaves open is that of the file; what it says itself goes before', () => {
  const byId = attachment({ filename: '', contentType: '', content: NONE, fileId: file.id });
  const other = attachment({ contentId: 'c', content: NONE, fileId: formatFileId(file.id.toUpperCase()) });
  expect(checkAll([byId, other])).toEqual({
    checked: [
      { filename: 'file.txt', contentType: 'text/plain', contentId: '', content: file },
      { filename: 'a.pdf', contentType: 'application/pdf', contentId: 'c', content: file },
    ],
    found: [],
  });
});

test('files count to the bytes of all attachments', () => {
  const sized = (size: number) => ({ ...named, complete: new Map([[file.id, { ...file, size }]]) });
  const attachments = [attachment({ content: Buffer.alloc(10) }), attachment({ content: NONE, fileId: file.id })];
  const foundAt = (size: number) => {
    const violations = new Violations();
    checkAttachments(attachments, sized(size), limits, violations);
    return violations.found;
  };
  expect(foundAt(limits.attachmentBytes - 10)).toEqual([]);
  expect(foundAt(limits.attachmentBytes - 9)).toEqual([
    { field: 'email.attachments', description: `must be at most ${limits.attachmentBytes} bytes together` },
  ]);
});

test('each file is looked for once; what cannot be an id is not, nor is anything where there are too many', () => {
  const of = (...fileIds: string[]) => fileIds.map((fileId) => attachment({ fileId }));
  expect(namedFiles(of(file.id, formatFileId(file.id), '', 'file_1', STRANGE), limits)).toEqual([file.id, STRANGE]);
  expect(namedFiles(of(...Array<string>(101).fill(file.id)), limits)).toEqual([]);
});
