import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Caller, RuleError } from '@sky-genesis/grpc';
import { Calls } from './calls.decorator';
import { requireScope } from './scopes';

/** Asks for the scope of the RPC that the route calls; stands behind JwtAuthGuard. A route without `Calls` is refused. */
@Injectable()
export class ScopeGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { user } = context.switchToHttp().getRequest<{ user?: Caller }>();
    if (!user) throw new RuleError('UNAUTHENTICATED', 'No valid auth token');
    requireScope(user, this.reflector.get(Calls, context.getHandler()));
    return true;
  }
}
