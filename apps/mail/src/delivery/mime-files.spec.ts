import { randomBytes } from 'node:crypto';
import { simpleParser } from 'mailparser';
import { toMime } from './mime.mapper';
import { ContentUnavailableError } from './outgoing-message';
import { bytesOf, inPieces, noFiles, objectOf } from './outgoing-message.fixture';
import type { OutgoingAttachment } from './outgoing-email';
import { outgoing } from './outgoing-email.fixture';

const file = (over: Partial<OutgoingAttachment> = {}): OutgoingAttachment => ({
  filename: 'a.bin',
  contentType: 'application/octet-stream',
  contentId: '',
  content: Buffer.from([0, 1, 2, 255]),
  ...over,
});

/** The composer puts a random word into the boundaries. */
const withoutChance = (message: Buffer) => message.toString('latin1').replace(/--_NmP-[0-9a-f]{16}-/g, '--_NmP-');

/** A mail whose attachments are files is the one that the composer makes with all of them in memory. */
async function expectSameAsInMemory(attachments: OutgoingAttachment[], contents: Buffer[], sizes: number[], htmlBody = '') {
  const email = outgoing({ htmlBody });
  const objects = contents.map((content, i) => objectOf(content.length, String(i)));
  const inMemory = await toMime(
    email,
    attachments.map((each, i) => ({ ...each, content: contents[i] as Buffer })),
    noFiles,
  );
  const byReference = await toMime(
    email,
    attachments.map((each, i) => ({ ...each, content: objects[i]! })),
    (object) => inPieces(contents[Number(object.id)] as Buffer, ...sizes),
  );
  const streamed = await bytesOf(byReference);
  expect(withoutChance(streamed) === withoutChance(await bytesOf(inMemory))).toBe(true);
  expect(byReference.size).toBe(streamed.length);
  // As for a second relay.
  expect((await bytesOf(byReference)).equals(streamed)).toBe(true);
}

test.each([0, 1, 2, 3, 56, 57, 58, 113, 114, 115, 57 * 1024, 57 * 1024 + 1, 3 * 1024 * 1024])(
  '%i bytes arrive as if they had been in memory, however they are cut',
  async (size) => {
    for (const sizes of size > 1000 ? [[256 * 1024], [1000, 1, 56, 70_000]] : [[256 * 1024], [1], [57], [56, 2, 58]]) {
      await expectSameAsInMemory([file()], [randomBytes(size)], sizes);
    }
  },
);

test('many of them, between attachments in the order of the message: inline parts come first', async () => {
  const attachments = [
    file({ filename: 'a.pdf', contentType: 'application/pdf' }),
    file({ filename: 'logo.png', contentType: 'image/png', contentId: 'logo' }),
    file({ filename: 'b.txt', contentType: 'text/plain' }),
    file({ filename: 'c.eml', contentType: 'message/rfc822' }),
  ];
  const contents = [1000, 100_000, 0, 57].map((size) => randomBytes(size));
  await expectSameAsInMemory(attachments, contents, [333], '<img src="cid:logo">');
});

test('beside those in memory', async () => {
  const content = randomBytes(100_000);
  const message = await toMime(outgoing(), [file(), file({ filename: 'b.bin', content: objectOf(content.length) }), file()], () =>
    inPieces(content, 1000),
  );
  const { attachments } = await simpleParser(await bytesOf(message));
  expect(attachments.map(({ filename }) => filename)).toEqual(['a.bin', 'b.bin', 'a.bin']);
  expect(attachments[1]?.content.equals(content)).toBe(true);
});

test('one that cannot be read ends the message, by an error of its own', async () => {
  const cause = new Error('no store');
  const message = await toMime(outgoing(), [file({ content: objectOf(1_000_000) })], async function* () {
    yield randomBytes(500_000);
    throw cause;
  });
  const error = await bytesOf(message).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ContentUnavailableError);
  expect(error).toMatchObject({ cause });
});
