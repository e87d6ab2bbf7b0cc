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
export { type CallOptions } from './grpc-client';
export { type StreamOptions } from './grpc-stream.client';
export { type Announcement, GrpcServer, type GrpcServerSettings } from './grpc-server';
export { drainSettings, grpcServerSettings } from './grpc-server.settings';
export { fromRpcStatus, fromServiceError, toRpcStatus, toStatus } from './grpc-status';
export { type GrpcClientSettings, grpcClientSettings, type GrpcSettings, grpcSettings } from './grpc.settings';
export { InFlight } from './in-flight';
export { MailClient } from './mail.client';
export { Mesh } from './mesh';
export { meshRules, type MeshSettings, meshSettings } from './mesh.settings';
export { type OpenStream, OpenStreams } from './open-streams';
export { type RequestStream, serveRequests } from './requests-call';
export { serveResponses } from './responses-call';
export { REQUEST_ID, requestIdFrom, TRACEPARENT, traceparentFrom } from './request-id';
export { readOnlyRpcs, type Rpc, rpcs } from './rpcs';
export { type FieldViolation, InvalidArgumentError, MessageTooLargeError, RuleError } from './rule-error';
export { RuleExceptionFilter } from './rule-exception.filter';
export { SearchClient } from './search.client';
export { SERVICE_AUTHORIZATION, ServiceChannel } from './service.channel';
export { ServiceClients } from './service.clients';
export { CertificateFault, type CertificatePaths, type Certificates, readCertificates } from './tls/certificates';
export { CertificateFiles } from './tls/certificate-files';
export { CertificateProvider } from './tls/certificate.provider';
export { type HandshakeFailure } from './tls/handshake-failures';
export { identitiesOf, namesService } from './tls/peer-identity';
export { peerInterceptor } from './tls/peer.interceptor';
export { peerRules } from './tls/peer-rules';
export { certificatePaths, tlsRules, tlsSettings, type TlsSettings } from './tls/tls.settings';
export { type IsTrusted, type Peer, trustedProxies } from './trusted-proxies';
export { proxySettings } from './trusted-proxies.settings';
export { bytesPassed, countedBytes } from './young-buffers';
export { type DiscoveredService, Discovery } from './discovery/discovery';
export {
  discoveryRules,
  etcdEndpoint,
  type EtcdSettings,
  etcdSettings,
  isServiceAddress,
  type RegistrationSettings,
  registrationSettings,
} from './discovery/discovery.settings';
export { type EtcdRegistration } from './discovery/etcd-registration';
export { EtcdClient } from './discovery/etcd.client';
export { parseHostPort } from './discovery/host-port';
export { parseServiceAddress, type ServiceAddress } from './discovery/service-address';
