import { Readable } from 'node:stream';
import type { CallOptions } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClosingSignal } from './closing.signal';
import { NDJSON, notNdjson } from './media-types.hook';
import { type Answered, type ExchangeSettings, type LineRoute, NdjsonExchange } from './ndjson.exchange';

/** Answers requests of NDJSON both ways. */
export class NdjsonRouteHandler {
  constructor(
    private readonly settings: ExchangeSettings,
    private readonly closing: ClosingSignal,
  ) {}

  /** Begins the answer; what goes wrong from then on is told in it. */
  answer<Request, Message, Result extends Answered>(
    route: LineRoute<Request, Message, Result>,
    { body, id, server }: FastifyRequest,
    reply: FastifyReply,
    call: CallOptions,
  ): void {
    if (!(body instanceof Readable)) throw notNdjson();
    const exchange = new NdjsonExchange(route, this.settings, { body, budget: server.bodyBudget, requestId: id });
    void reply.header('content-type', NDJSON).header('x-accel-buffering', 'no').send(exchange.answer);
    // The client learns at once that it may go on, not only with the first answer.
    reply.raw.flushHeaders();
    void exchange.run(call, this.closing.signal);
  }
}
