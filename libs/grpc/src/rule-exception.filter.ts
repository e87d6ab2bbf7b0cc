import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type Observable, throwError } from 'rxjs';
import { callContext } from './call-context';
import { toStatus } from './grpc-status';
import { isForTheLog, RuleError } from './rule-error';

/** What a gRPC handler throws becomes a status here; what was not foreseen is logged whole and told as INTERNAL. */
@Catch()
export class RuleExceptionFilter implements ExceptionFilter {
  private readonly logger = new Logger(RuleExceptionFilter.name);

  catch(exception: unknown, host: ArgumentsHost): Observable<never> {
    if (host.getType() !== 'rpc') throw exception;
    if (isForTheLog(exception)) {
      const what = exception instanceof RuleError ? `a call failed: ${exception.reason}` : 'a call failed with an error not foreseen';
      this.logger.error({ err: exception, requestId: callContext.getStore()?.requestId }, what);
    }
    return throwError(() => toStatus(exception));
  }
}
