import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { GrpcServer } from '@sky-genesis/grpc';
import { EngineMonitor } from './engine.monitor';

/**
 * Probes for Kubernetes: live (the process runs), startup and ready (it can answer something: the engine is up, or
 * MailService is, from which mail is answered meanwhile).
 */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly monitor: EngineMonitor,
    private readonly server: GrpcServer,
  ) {}

  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get(['ready', 'startup'])
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => {
        const indicator = this.indicators.check('grpc');
        return this.server.isDraining ? indicator.down('draining') : indicator.up();
      },
      () => {
        const indicator = this.indicators.check('search');
        const { engine, mail } = this.monitor.state;
        return this.monitor.canAnswer ? indicator.up({ engine, mail }) : indicator.down({ engine, mail });
      },
    ]);
  }
}
