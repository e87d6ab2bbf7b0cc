import { MessageIdScanner } from './message-id';

const ID = 'msg_0193a0e2-7c11-7aaa-8bbb-123456789abc';

function scan(message: string, pieceBytes = 7): string | undefined {
  const scanner = new MessageIdScanner();
  for (let at = 0; at < message.length; at += pieceBytes) scanner.add(Buffer.from(message.slice(at, at + pieceBytes)));
  return scanner.messageId();
}

test.each([
  ['as mail writes it', `From: a@example.com\r\nMessage-ID: <${ID}@example.com>\r\n\r\nbody`, ID],
  ['folded', `message-id:\r\n <${ID}@example.com>\r\n\r\nbody`, ID],
  ['without a body', `Message-Id: <${ID}@example.com>\r\n`, ID],
  ['with bare line feeds', `Message-ID: <${ID}@example.com>\n\nbody`, ID],
  ['after the headers', `Subject: a\r\n\r\nMessage-ID: <${ID}@example.com>\r\n`, undefined],
  ['in another header', `X-Message-ID: <${ID}@example.com>\r\n\r\n`, undefined],
  ['with a path in it', 'Message-ID: <msg_../../../../../../../../../../etc/x@example.com>\r\n\r\n', undefined],
])('a Message-ID %s', (_name, message, expected) => {
  expect(scan(message)).toBe(expected);
});

test('a header without an end is not held whole', () => {
  expect(scan(`X-Long: ${'x'.repeat(200_000)}\r\nMessage-ID: <${ID}@example.com>\r\n\r\n`, 10_000)).toBeUndefined();
});
