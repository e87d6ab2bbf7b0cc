import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { callContext } from './call-context';
import { toStatus } from './grpc-status';
import { RuleError } from './rule-error';

/** What a gRPC handler throws becomes a status here; what was not foreseen is logged whole and told as INTERNAL. */
@Catch()
export class RuleExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger(RuleExceptionFilter.name);

  catch(exception: unknown, host: ArgumentsHost): Observable<never> {
    if (host.getType() !== 'rpc') throw exception;
    if (!(exception instanceof RuleError)) {
      this.logger.error({ err: exception, requestId: callContext.getStore()?.requestId }, 'a call failed with an error not foreseen');
    }
    return throwError(() => toStatus(exception));
  }
}
