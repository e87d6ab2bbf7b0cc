import type { DynamicModule } from '@nestjs/common';
import { PrometheusModule } from '@willsoto/nestjs-prometheus';
import { register } from 'prom-client';

/** `GET /metrics`: those of the process and of gRPC. Two apps in one process (tests) share them. */
export function metricsModule(): DynamicModule {
  const registered = register.getSingleMetric('process_cpu_user_seconds_total') !== undefined;
  return PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: !registered } });
}
