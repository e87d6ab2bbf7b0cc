export {
  type AnsweredStream,
  type AnsweredStreamLimits,
  Answers,
  answerStream,
  type FailedAnswer,
  MAX_REQUEST_REF,
  type Startable,
} from './answered-stream';
export { believe, type CallContext, callContext, currentCaller } from './call-context';
export { type Caller } from './caller';
export { type CallLimits, callContextInterceptor } from './call-context.interceptor';
export { type DuplexHandler, serveDuplex } from './duplex-call';
export { EARLY_DATA } from './early-data';
export { type CodeName, defaultReason, type ErrorReason, errorReasons } from './error-reasons';
export { FilesClient } from './files.client';
export { type CallOptions, grpcClientOptions } from './grpc-client';
export { type StreamOptions } from './grpc-stream.client';
export { GrpcServer, type GrpcServerSettings } from './grpc-server';
export { fromRpcStatus, fromServiceError, toRpcStatus, toStatus } from './grpc-status';
export { type GrpcSettings, grpcSettings } from './grpc.settings';
export { InFlight } from './in-flight';
export { MailClient } from './mail.client';
export { type OpenStream, OpenStreams } from './open-streams';
export { type RequestStream, serveRequests } from './requests-call';
export { serveResponses } from './responses-call';
export { REQUEST_ID, requestIdFrom, TRACEPARENT, traceparentFrom } from './request-id';
export { type FieldViolation, InvalidArgumentError, MessageTooLargeError, RuleError } from './rule-error';
export { RuleExceptionFilter } from './rule-exception.filter';
export { SearchClient } from './search.client';
export { SERVICE_AUTHORIZATION, type ServiceChannelSettings } from './service.channel';
export { type IsTrusted, trustedProxies } from './trusted-proxies';
export { proxySettings } from './trusted-proxies.settings';
export { bytesPassed, countedBytes } from './young-buffers';
