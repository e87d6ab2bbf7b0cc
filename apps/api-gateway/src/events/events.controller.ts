import { Controller, Get, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiHeader, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { JwtAuthGuard, ScopeGuard } from '@sky-genesis/auth';
import { type CallOptions, MailClient } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ForCall } from '../http/call-options.decorator';
import { RpcRoute } from '../openapi/rpc-route.decorator';
import { EventStream } from './event.stream';
import { fromListEventsResponse, toListEventsRequest, toWatchEventsRequest } from './events.mapper';
import { EVENT_STREAM, eventPage, type EventsQuery, eventsQuery } from './events.schema';

/** ListEvents and WatchEvents in REST: one route, by what the client accepts. */
@ApiTags('events')
@Controller('api/v1/events')
@UseGuards(JwtAuthGuard, ScopeGuard)
export class EventsController {
  constructor(
    private readonly mail: MailClient,
    private readonly stream: EventStream,
  ) {}

  @Get()
  @RpcRoute('MailService/ListEvents', {
    summary: 'Read or watch events',
    description: `Every change of state of your emails, in order and without gaps. A page as JSON; or, with \`Accept: ${EVENT_STREAM}\`, \
Server-Sent Events as they happen, by \`MailService/WatchEvents\`: \`id\` is the cursor, \`event\` the type, \`data\` the event as JSON. \
A frame with an \`id\` alone moves the cursor, and comes at least every 15 s.

A browser that asks again sends \`Last-Event-ID\` and misses nothing. Where the stream ends, its last frame is \`event: error\` with a \
problem as its data: \`SERVER_DRAINING\` means to ask again, \`UNAUTHENTICATED\` to do so with a new token. A browser's own EventSource \
cannot send a token: use fetch, or a library that does.`,
    errors: ['CURSOR_OUT_OF_RANGE', 'TOO_MANY_STREAMS', 'SERVER_DRAINING'],
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The `id` last seen on a stream: it goes on from there, whatever `after` says.',
    schema: { type: 'string' },
  })
  @ApiProduces('application/json', EVENT_STREAM)
  @ApiResponse({ status: 200, description: 'A page, or a stream.', standardSchema: eventPage })
  async readEvents(
    @Query({ schema: eventsQuery }) query: EventsQuery,
    @ForCall() call: CallOptions,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    void reply.header('vary', 'accept');
    if (!wantsStream(request)) {
      void reply.send(fromListEventsResponse(await this.mail.listEvents(toListEventsRequest(query), call)));
      return;
    }
    const lastEventId = request.headers['last-event-id'];
    const frames = await this.stream.open(toWatchEventsRequest(query, lastEventId?.toString()), call, request.id);
    // Buffering on the way would hold events back.
    void reply.header('content-type', EVENT_STREAM).header('x-accel-buffering', 'no').send(frames);
  }
}

/** HEAD takes this way, too, and has no body that could be a stream. */
const wantsStream = ({ method, headers }: FastifyRequest): boolean =>
  method === 'GET' && headers.accept !== undefined && headers.accept.toLowerCase().includes(EVENT_STREAM);
