export { observeConnections } from './grpc-connections';
export { grpcObserver } from './grpc.observer';
export { loggerModule } from './logger.module';
export { metricsModule } from './metrics.module';
export { observabilitySettings, type ObservabilitySettings } from './observability.settings';
