import {
  type Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
} from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import {
  believe,
  type Caller,
  type CallContext,
  callContext,
  namesService,
  readOnlyRpcs,
  RuleError,
  SERVICE_AUTHORIZATION,
  toStatus,
} from '@sky-genesis/grpc';
import { bearerToken } from './bearer-token';
import { ANONYMOUS } from './caller-claims';
import { requireScope, serviceScopes } from './scopes';
import type { ServiceTokens } from './service-tokens';
import type { TokenVerifier } from './token-verifier';

const HEALTH = '/grpc.health.v1.Health/';
const REFLECTION = '/grpc.reflection.';
const CONTRACT = '/sky_genesis.';

export interface AuthOptions {
  verifier: TokenVerifier;
  serviceTokens: ServiceTokens;
  /** Takes a call without `authorization` for ANONYMOUS; a bad token is refused all the same. */
  allowAnonymous: boolean;
  /** Tells the schema to everyone; else to whoever has a valid token. */
  openReflection: boolean;
}

const logger = new Logger('authInterceptor');

/**
 * Decides who calls, and whether they may, before a message is read; registered after the call has its context. A call that
 * is late once that is decided goes no further.
 */
export const authInterceptor =
  (options: AuthOptions): ServerInterceptor =>
  ({ path }, call) => {
    if (path.startsWith(HEALTH) || (options.openReflection && path.startsWith(REFLECTION))) return new ServerInterceptingCall(call);
    let refused = false;
    const refuse = (error: unknown) => {
      refused = true;
      if (!(error instanceof RuleError)) logger.error({ err: error }, 'a call could not be judged');
      call.sendStatus(toStatus(error));
    };
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const proceed = ({ deadline }: CallContext) => {
          if (Date.now() < deadline) return next(metadata);
          refused = true;
          // How long it had the call's context knows, which completes this.
          call.sendStatus({ code: status.DEADLINE_EXCEEDED, details: '' });
        };
        admit(path, metadata, options).then(proceed, refuse);
      })
      // Until the decision, grpc-js keeps both back by itself.
      .withOnReceiveMessage((message, next) => {
        if (!refused) next(message);
      })
      .withOnReceiveHalfClose((next) => {
        if (!refused) next();
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };

/** Puts the caller, and the service that calls on its behalf, into the call's context, and gives that. */
async function admit(path: string, metadata: Metadata, options: AuthOptions): Promise<CallContext> {
  const context = callContext.getStore();
  if (!context) throw new Error('authInterceptor runs without a call context');
  const service = await serviceFrom(metadata, context, options);
  // One of the product's own, wherever it runs.
  if (service !== undefined) believe(context, metadata);
  if (context.earlyData && !readOnlyRpcs.has(path)) throw new RuleError('TOO_EARLY');
  const caller = await callerFrom(metadata, service, options);
  if (!path.startsWith(REFLECTION)) requireScope(caller, path.startsWith(CONTRACT) ? path.slice(CONTRACT.length) : undefined);
  if (service !== undefined) context.service = service;
  context.caller = caller;
  return context;
}

/**
 * The service that calls, as its token says. Where the peer has a certificate, it must be that service's own: a token
 * that was stolen is of no use without the key of the one it was issued to.
 */
async function serviceFrom(metadata: Metadata, { peer }: CallContext, { serviceTokens }: AuthOptions): Promise<string | undefined> {
  const [serviceAuthorization] = metadata.get(SERVICE_AUTHORIZATION);
  if (serviceAuthorization === undefined) return undefined;
  const service = await serviceTokens.verify(bearerToken(serviceAuthorization));
  if (peer && !namesService(peer, service)) {
    throw new RuleError('PEER_NOT_ALLOWED', `the token is that of ${service}, the certificate is not: ${peer.join(', ') || 'no name'}`);
  }
  return service;
}

async function callerFrom(metadata: Metadata, service: string | undefined, { allowAnonymous, verifier }: AuthOptions): Promise<Caller> {
  const [authorization] = metadata.get('authorization');
  const scopes = service === undefined ? undefined : serviceScopes.get(service);
  if (authorization === undefined && scopes) return serviceCaller(service!, scopes);
  if (authorization === undefined && allowAnonymous) return ANONYMOUS;
  return verifier.verify(bearerToken(authorization));
}

/** A service that calls on nobody's behalf: it has no tenant of its own, and only the scopes that it needs. */
const serviceCaller = (service: string, scopes: readonly string[]): Caller => ({
  subject: `service:${service}`,
  service,
  tenant: '',
  scopes: new Set(scopes),
  senders: [],
  expiresAt: Infinity,
});
