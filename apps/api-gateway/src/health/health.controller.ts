import { Controller, Get, UseFilters } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { ClosingSignal } from '../http/closing.signal';
import { HealthFilter } from './health.filter';
import { MailHealth } from './mail.health';

@ApiTags('health')
@Controller('health')
@UseFilters(HealthFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly mail: MailHealth,
    private readonly indicators: HealthIndicatorService,
    private readonly closing: ClosingSignal,
  ) {}

  @Get('live')
  @HealthCheck()
  @ApiOperation({ summary: 'Whether the process runs' })
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  @Get('ready')
  @HealthCheck()
  @ApiOperation({ summary: 'Whether the gateway can serve: mail must, search need not' })
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      () => {
        const indicator = this.indicators.check('gateway');
        return this.closing.isNear ? indicator.down('draining') : indicator.up();
      },
      () => this.mail.check(),
    ]);
  }
}
