import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { GrpcServer } from '@sky-genesis/grpc';
import { DatabaseMonitor } from './database.monitor';

/** Probes for Kubernetes: live (the process runs), startup and ready (it can serve: the database answers). */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly database: DatabaseMonitor,
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
      async () => {
        const indicator = this.indicators.check('database');
        return this.database.ping().then(
          () => indicator.up(),
          () => indicator.down(),
        );
      },
    ]);
  }
}
