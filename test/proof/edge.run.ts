import { type EdgeAnswer, EdgeConnection, type GrpcEdgeAnswer } from './edge.connection';
import { type AccessLine, accessLineOf } from './edge.log';
import type { ProofStack } from './proof-stack';

/** A request as both ends saw it. */
export interface Seen<Answer extends EdgeAnswer = EdgeAnswer> {
  answer: Answer;
  line: AccessLine;
}

/** What is called, in order. */
export interface EdgeRun {
  ready: Seen;
  sent: Seen;
  read: Seen;
  health: Seen<GrpcEdgeAnswer<{ status: string }>>;
  got: Seen<GrpcEdgeAnswer<{ email?: { subject: string } }>>;
  earlyRead: Seen;
  tooEarly: Seen;
  sentAgain: Seen;
}

/** Mails that a run gets accepted: by REST, and the one that came too early first. */
export const MAILS_OF_A_RUN = 2;

export const subjectOf = (number: number): string => `Run ${number}`;

export async function runOnce(stack: ProofStack, number: number): Promise<EdgeRun> {
  const mail = { to: ['recipient@example.com'], subject: subjectOf(number), body: 'This came over HTTP/3.' };
  const send = (connection: EdgeConnection): Promise<EdgeAnswer> => connection.rest('POST', '/api/v1/mail/send', mail);
  const seen = async <Answer extends EdgeAnswer>(answer: Answer): Promise<Seen<Answer>> => ({
    answer,
    line: await accessLineOf(answer.requestId, stack),
  });

  const first = await EdgeConnection.open(stack);
  const ready = await seen(await first.rest('GET', '/health/ready'));
  const sent = await seen(await send(first));
  const id = messageIdOf(sent.answer);
  const path = `/api/v1/mail/${id}`;
  const read = await seen(await first.rest('GET', path));
  const health = await seen(await first.grpc<{ status: string }>('grpc.health.v1.Health', 'Check', {}));
  const got = await seen(await first.grpc<{ email?: { subject: string } }>('sky_genesis.MailService', 'GetEmail', { id }));
  const session = await first.session();
  first.close();

  const second = await EdgeConnection.open(stack, session);
  const earlyRead = await seen(await second.rest('GET', path));
  const nextSession = await second.session();
  second.close();

  const third = await EdgeConnection.open(stack, nextSession);
  const tooEarly = await seen(await send(third));
  await third.established;
  const sentAgain = await seen(await send(third));
  third.close();
  return { ready, sent, read, health, got, earlyRead, tooEarly, sentAgain };
}

/** Empty where no mail was accepted. */
export const messageIdOf = ({ body }: EdgeAnswer): string => (JSON.parse(body.toString()) as { message_id?: string }).message_id ?? '';
