import { Controller, Get } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { GrpcServer } from '@sky-genesis/grpc';
import { Readiness } from './readiness';

/** Probes for Kubernetes: live (the process runs), startup and ready (it can serve, and is not being stopped). */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly readiness: Readiness,
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
        const { name, isUp, details } = await this.readiness.ready();
        const indicator = this.indicators.check(name);
        return isUp ? indicator.up(details) : indicator.down(details);
      },
    ]);
  }
}
