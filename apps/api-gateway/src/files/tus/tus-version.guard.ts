import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TUS_VERSION } from './tus-headers';

/** Asks for the one version of tus that is spoken here. */
@Injectable()
export class TusVersionGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    if (http.getRequest<FastifyRequest>().headers['tus-resumable'] === TUS_VERSION) return true;
    void http.getResponse<FastifyReply>().header('tus-version', TUS_VERSION);
    throw new RuleError('UNSUPPORTED_TUS_VERSION');
  }
}
