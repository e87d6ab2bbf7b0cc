export { tellRegistered } from './discovery.metrics';
export { observeConnections } from './grpc-connections';
export { grpcObserver } from './grpc.observer';
export { loggerModule } from './logger.module';
export { metricsModule } from './metrics.module';
export { observabilitySettings, type ObservabilitySettings } from './observability.settings';
export { countHandshakeFailure, observeCertificates } from './tls.metrics';
/** An app's own metrics: of the one version, and so in the one registry, that `GET /metrics` shows. */
export { Counter, Gauge, Histogram } from 'prom-client';
