import type { Metadata, ServerWritableStream } from '@grpc/grpc-js';
import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { callContext, currentCaller, OpenStreams, RuleExceptionFilter } from '@sky-genesis/grpc';
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

  /**
   * Writes by itself, one message at a time: what is returned as an Observable Nest holds in memory without bound. (Nest
   * knows `@GrpcStreamCall` only where the request is a stream, too.)
   */
  @GrpcMethod('MailService', 'WatchEvents')
  async watchEvents(request: WatchEventsRequest, _metadata: Metadata, call: WatchCall): Promise<Observable<never>> {
    const caller = currentCaller();
    const stream = this.streams.open(caller, callContext.getStore()!.signal);
    try {
      for await (const batch of this.watchedEvents.watch(caller.tenant, request, stream.signal)) {
        await written(call, toWatchEventsResponse(batch), stream.signal);
      }
      return EMPTY;
    } finally {
      // One that does not read on keeps its place until all is sent or its connection ends.
      if (call.closed) stream.close();
      else call.once('close', () => stream.close());
    }
  }
}

/** Resolves when HTTP/2 has taken the message, which the caller's flow control decides; or when the stream is to end. */
async function written(call: WatchCall, message: WatchEventsResponse, ending: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      ending.removeEventListener('abort', done);
      resolve();
    };
    call.write(message, done);
    if (ending.aborted) done();
    else ending.addEventListener('abort', done);
  });
}
