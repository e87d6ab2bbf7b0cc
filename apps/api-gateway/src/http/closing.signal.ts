import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc';

/** Tells answers without an end of their own that the server closes. Nest tells it before the server stops to listen. */
@Injectable()
export class ClosingSignal implements OnModuleDestroy {
  private readonly closing = new AbortController();
  /** Its reason is SERVER_DRAINING. */
  readonly signal: AbortSignal = this.closing.signal;

  /** Said by readiness: everything is still served, but callers should go elsewhere. */
  isNear = false;

  onModuleDestroy(): void {
    this.closing.abort(new RuleError('SERVER_DRAINING'));
  }
}
