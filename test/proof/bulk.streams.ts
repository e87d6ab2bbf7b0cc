import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { fromRpcStatus } from '@sky-genesis/grpc';
import { loadPackage, type SubmitEmailsRequest, type SubmitEmailsResponse } from '@sky-genesis/proto';
import type { Answer } from './entrance';
import type { NewMail } from './new-mail';
import type { Started } from './started';

export interface BulkMail {
  requestRef: string;
  idempotencyKey: string;
  mail: NewMail;
}

/** A stream to send mails by. */
export interface BulkStream {
  readonly name: string;
  /** Resolves once they have left: the server holds them back when it has enough. */
  send(mails: readonly BulkMail[]): Promise<void>;
  /** No more mails. Resolves when the server has ended its side, with what it ended it: '' when all was well. */
  end(): Promise<string>;
}

type Told = (requestRef: string, answer: Answer) => void;
type Call = ClientDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>;
type MailServiceClass = new (
  address: string,
  secure: unknown,
  options: object,
) => { submitEmails(metadata: Metadata): Call; close(): void };

/** MailService/SubmitEmails on a connection of its own. */
export function submitEmailsStream(address: string, token: string, told: Told, started: Started): BulkStream {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as { sky_genesis: { MailService: MailServiceClass } };
  const options = { 'grpc.enable_channelz': 0, 'grpc.use_local_subchannel_pool': 1 };
  const client = new contract.MailService(address, credentials.createInsecure(), options);
  started.onEnd(() => client.close());
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const call = client.submitEmails(metadata);
  call.on('data', ({ results }: SubmitEmailsResponse) => {
    for (const { requestRef, response, failure } of results) {
      if (response) told(requestRef, { kind: 'accepted', messageId: response.messageId, replayed: response.replayed });
      else told(requestRef, { kind: 'refused', reason: failure ? fromRpcStatus(failure).reason : 'no outcome' });
    }
  });
  const ended = new Promise<string>((resolve) => {
    call.once('error', (error) => resolve(error.message));
    call.once('status', ({ code }: { code: number }) => code === 0 && resolve(''));
  });
  return {
    name: 'gRPC SubmitEmails',
    send: async (mails) => {
      const requests = mails.map(({ mail, ...named }) => ({
        email: { id: '', ...mail, timestamp: '0', attachments: [] },
        options: undefined,
        ...named,
      }));
      await Promise.race([new Promise<void>((resolve) => call.write({ requests }, () => resolve())), ended]);
    },
    end: () => {
      call.end();
      return ended;
    },
  };
}

/** POST /api/v1/mail/bulk: one request, one line a mail. */
export function bulkRequest(gateway: string, token: string, told: Told, started: Started): BulkStream {
  const agent = new Agent();
  started.onEnd(() => agent.destroy());
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
  const sent = request(`${gateway}/api/v1/mail/bulk`, { method: 'POST', agent, headers });
  const ended = new Promise<string>((resolve) => {
    sent.once('error', (error) => resolve(error.message));
    sent.once('response', (response) => {
      if (response.statusCode !== 200) resolve(`status ${response.statusCode}`);
      const lines = createInterface({ input: response });
      lines.on('line', (line) => {
        const { request_ref, message_id, problem, replayed } = JSON.parse(line) as AnswerLine;
        if (request_ref === undefined) resolve(`not read to its end: ${problem?.code}`);
        else if (message_id !== undefined) told(request_ref, { kind: 'accepted', messageId: message_id, replayed: replayed === true });
        else told(request_ref, { kind: 'refused', reason: problem?.code ?? 'no outcome' });
      });
      lines.once('close', () => resolve(response.complete ? '' : 'cut off'));
    });
  });
  return {
    name: 'REST mail/bulk',
    send: async (mails) => {
      const lines = mails.map(({ requestRef, idempotencyKey, mail }) => ({
        ...mail,
        request_ref: requestRef,
        idempotency_key: idempotencyKey,
      }));
      if (sent.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))) return;
      await Promise.race([once(sent, 'drain'), ended]);
    },
    end: () => {
      sent.end();
      return ended;
    },
  };
}

interface AnswerLine {
  request_ref?: string;
  message_id?: string;
  replayed?: boolean;
  problem?: { code: string };
}
