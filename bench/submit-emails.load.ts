import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { type Email, loadPackage, type SubmitEmailsRequest, type SubmitEmailsResponse } from '@sky-genesis/proto';
import { closedLoop, type Load } from './load';
import { MessagesUnderWay } from './messages-under-way';

type Call = ClientDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>;
type MailServiceClass = new (
  address: string,
  secure: unknown,
  options: object,
) => { submitEmails(metadata: Metadata): Call; close(): void };

/** MailService/SubmitEmails: one stream, `messages` under way with so many mails each. A latency is a message's to its last answer. */
export async function submitEmailsLoad(
  address: string,
  token: string,
  email: Email,
  { messages, mails }: { messages: number; mails: number },
  seconds: number,
): Promise<Load> {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as { sky_genesis: { MailService: MailServiceClass } };
  const client = new contract.MailService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const call = client.submitEmails(metadata);
  const underWay = new MessagesUnderWay(mails);
  const ended = new Promise<void>((resolve) => {
    call.once('error', (error) => {
      underWay.fail(error);
      resolve();
    });
    call.once('end', resolve);
  });
  call.on('data', ({ results }: SubmitEmailsResponse) => {
    for (const { requestRef, response } of results) underWay.answered(requestRef, response !== undefined);
  });
  try {
    return await closedLoop(
      messages,
      seconds,
      () => {
        const { refs, done } = underWay.begin();
        call.write({ requests: refs.map((requestRef) => ({ email, options: undefined, idempotencyKey: '', requestRef })) });
        return done;
      },
      mails,
    );
  } finally {
    call.end();
    await ended;
    client.close();
  }
}
