import type { Metadata, ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Logger } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { callContext, currentCaller, InvalidArgumentError, OpenStreams, RuleError, toStatus } from '@sky-genesis/grpc';
import type { SubmitEmailsRequest, SubmitEmailsResponse } from '@sky-genesis/proto';
import { SubmitEmails, type SubmitStream } from './submit-emails';
import { toSubmitEmailsResponse, toSubmitRequests } from './submit-emails.mapper';

type Call = ServerDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>;

/** MailService/SubmitEmails: translates a call into what SubmitEmails reads and writes. */
@Controller()
export class SubmitEmailsGrpcController {
  private readonly logger = new Logger(SubmitEmailsGrpcController.name);

  constructor(
    private readonly submitting: SubmitEmails,
    private readonly streams: OpenStreams,
  ) {}

  @GrpcStreamCall('MailService', 'SubmitEmails')
  async submitEmails(call: Call): Promise<void> {
    const caller = currentCaller();
    const requestId = callContext.getStore()?.requestId;
    const log = (err: unknown) => this.logger.error({ err, requestId }, 'SubmitEmails failed with an error not foreseen');
    const gone = goneOf(call);
    try {
      refuseKeyOfAll(call.metadata);
      const opened = this.streams.open(caller, gone);
      try {
        await this.submitting.run(streamOf(call, { ending: opened.signal, gone }, log), caller);
      } finally {
        opened.close();
      }
      call.end();
    } catch (error) {
      if (gone.aborted) return;
      if (!(error instanceof RuleError)) log(error);
      call.emit('error', toStatus(error));
    }
  }
}

/** grpc-js tells it of every call that is over, one that it ended itself (a message too large) as one that its client left. */
function goneOf(call: Call): AbortSignal {
  const gone = new AbortController();
  for (const event of ['cancelled', 'close']) call.once(event, () => gone.abort(new RuleError('CANCELLED')));
  return gone.signal;
}

function streamOf(call: Call, signals: Pick<SubmitStream, 'ending' | 'gone'>, log: (error: unknown) => void): SubmitStream {
  readNoneAhead(call);
  const messages = call.iterator({ destroyOnReturn: false }) as AsyncIterator<SubmitEmailsRequest>;
  return {
    ...signals,
    read: async () => {
      const next = await messages.next();
      return next.done === true ? undefined : toSubmitRequests(next.value);
    },
    write: (answers) => {
      for (const answer of answers) if ('error' in answer && !(answer.error instanceof RuleError)) log(answer.error);
      return new Promise((resolve, reject) => {
        call.write(toSubmitEmailsResponse(answers), (error?: Error | null) => (error ? reject(error) : resolve()));
      });
    },
  };
}

/**
 * Node would read 16 messages ahead, 64 MiB of the largest: a stream that is held back holds one in hand, and none beside
 * it. The field is private; without it a stream costs more memory, and a test on a real server sees that.
 */
function readNoneAhead(call: Call): void {
  const { _readableState: state } = call as unknown as { _readableState?: { highWaterMark: number } };
  if (state) state.highWaterMark = 0;
}

/** A key in the call's metadata is every request's: all but the first would be refused, or be taken for the first. */
function refuseKeyOfAll(metadata: Metadata): void {
  if (metadata.get('idempotency-key').length === 0) return;
  throw new InvalidArgumentError([{ field: 'idempotency_key', description: 'belongs to each request of a stream, not to its metadata' }]);
}
