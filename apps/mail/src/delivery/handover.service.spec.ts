import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { SMTPServer } from 'smtp-server';
import { eventually } from '../../../../test/eventually';
import type { ObjectStore, StoredObject } from '../files/object.store';
import type { DeliveryStore } from './delivery.store';
import { HandoverService } from './handover.service';
import { inPieces, objectOf } from './outgoing-message.fixture';
import { outgoing } from './outgoing-email.fixture';
import { Relay } from './relay';
import { parseRelays, type RelayAddress } from './relay-list';
import { Relays } from './relays';
import { SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { SmtpTransport } from './smtp.transport';

const PIECE = 256 * 1024;
const EMAIL = outgoing({ attachmentCount: 1 });

/** Gives the bytes of one object, counts what it was asked for, and fails after so many. */
class CountingStore {
  taken = 0;
  failAfter = Infinity;

  constructor(readonly content: Buffer) {}

  async *read(object: StoredObject): AsyncGenerator<Buffer, void, undefined> {
    expect(object.size).toBe(this.content.length);
    for await (const piece of inPieces(this.content, PIECE)) {
      if (this.taken >= this.failAfter) throw new RuleError('STORE_UNAVAILABLE');
      this.taken += piece.length;
      yield piece;
    }
  }
}

class RememberingFactory extends SmtpConnectionFactory {
  socket: Socket | undefined;

  override async open() {
    const connection = await super.open();
    this.socket = connection._socket as Socket;
    return connection;
  }
}

let server: SMTPServer;
let factory: RememberingFactory;
let handovers: HandoverService;
let mails: Buffer[];
/** What the relay waits for before it reads a mail. */
let reading: Promise<void>;

async function start(store: CountingStore): Promise<void> {
  mails = [];
  reading = Promise.resolve();
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    onData: (stream, _, done) => {
      // One that breaks off is no mail.
      void reading
        .then(() => stream.toArray())
        .then((parts: Buffer[]) => mails.push(Buffer.concat(parts)))
        .then(
          () => done(),
          () => undefined,
        );
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const [address] = parseRelays(`smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`) as [RelayAddress];
  factory = new RememberingFactory(address, {
    MAIL_RELAY_REQUIRE_TLS: false,
    MAIL_RELAY_TIMEOUT_SECONDS: 5,
    MAIL_RELAY_CA: undefined,
    MAIL_RELAY_EHLO_NAME: 'mail.example',
  });
  const relay = new Relay(new SmtpTransport(new SmtpConnectionPool(factory)), { connections: 1, rate: undefined });
  const attachments = [{ filename: 'a.bin', contentType: 'application/pdf', contentId: '', content: objectOf(store.content.length) }];
  const deliveries = { attachments: () => Promise.resolve(attachments) } as unknown as DeliveryStore;
  handovers = new HandoverService(deliveries, store as unknown as ObjectStore, new Relays([relay]), { returnPath: undefined });
}

afterEach(async () => {
  handovers.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test('a slow relay holds no more of a file than a piece of it and what the socket takes', async () => {
  const content = randomBytes(24 * 1024 * 1024);
  const store = new CountingStore(content);
  await start(store);
  const ahead = () => {
    const { bytesWritten, writableLength } = factory.socket as Socket;
    return (store.taken * 4) / 3 - (bytesWritten - writableLength);
  };
  let release: () => void = () => undefined;
  reading = new Promise((resolve) => (release = resolve));
  const handing = handovers.handOver(EMAIL, () => Promise.resolve());
  // Every buffer between here and the relay is full.
  await eventually(
    () => factory.socket?.writableLength ?? 0,
    (waiting) => waiting > 0,
  );
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(ahead()).toBeLessThan(512 * 1024);
  expect(store.taken).toBeLessThan(content.length / 2);
  release();
  expect((await handing).outcome).toBe('accepted');
  const sent = Buffer.from(String(mails[0]?.toString('latin1').split('\r\n\r\n').at(-1)), 'base64');
  expect(sent.subarray(0, content.length).equals(content)).toBe(true);
}, 30_000);

test('a store that fails is told by an error line with the id of the mail; the mail is put off, and the relay stays in use', async () => {
  const store = new CountingStore(randomBytes(1024 * 1024));
  await start(store);
  store.failAfter = 512 * 1024;
  const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  const handover = await handovers.handOver(EMAIL, () => Promise.reject(new Error('the dot was asked for')));
  expect(handover).toMatchObject({ outcome: 'deferred', recipients: [{ result: 'deferred', reason: 'CONTENT_UNAVAILABLE' }] });
  const told = { id: `msg_${EMAIL.id}`, err: expect.objectContaining({ reason: 'STORE_UNAVAILABLE' }) as unknown };
  expect(logged).toHaveBeenCalledWith(expect.objectContaining(told), expect.any(String));
  logged.mockRestore();
  expect(handovers.room()).toBe(1);
  Object.assign(store, { failAfter: Infinity, taken: 0 });
  expect((await handovers.handOver(EMAIL, () => Promise.resolve())).outcome).toBe('accepted');
  expect(mails).toHaveLength(1);
});
