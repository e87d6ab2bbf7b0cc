import type { Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { currentCaller, OpenStreams, RuleExceptionFilter, serveResponses } from '@sky-genesis/grpc';
import type { ListEventsRequest, ListEventsResponse, WatchEventsRequest, WatchEventsResponse } from '@sky-genesis/proto';
import { EMPTY, type Observable } from 'rxjs';
import { toListEventsResponse, toWatchEventsResponse } from './events.mapper';
import { ListEvents } from './list-events';
import { WatchEvents } from './watch-events';

type WatchCall = ServerWritableStream<WatchEventsRequest, WatchEventsResponse>;

/** The events of MailService on gRPC: translates, and decides nothing. */
@Controller()
@UseFilters(RuleExceptionFilter)
export class EventsGrpcController {
  constructor(
    private readonly listedEvents: ListEvents,
    private readonly watchedEvents: WatchEvents,
    private readonly streams: OpenStreams,
  ) {}

  @GrpcMethod('MailService', 'ListEvents')
  async listEvents(request: ListEventsRequest): Promise<ListEventsResponse> {
    return toListEventsResponse(await this.listedEvents.list(currentCaller().tenant, request));
  }

  @GrpcMethod('MailService', 'WatchEvents')
  async watchEvents(request: WatchEventsRequest, _metadata: Metadata, call: WatchCall): Promise<Observable<never>> {
    await serveResponses(call, {
      streams: this.streams,
      responses: ({ tenant }, ending) => this.watch(tenant, request, ending),
    });
    return EMPTY;
  }

  private async *watch(tenant: string, request: WatchEventsRequest, ending: AbortSignal): AsyncGenerator<WatchEventsResponse> {
    for await (const batch of this.watchedEvents.watch(tenant, request, ending)) yield toWatchEventsResponse(batch);
  }
}
