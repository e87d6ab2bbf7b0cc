import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { callContext } from '../call-context';
import { toStatus } from '../grpc-status';
import { LineBudget } from '../line-budget';
import { RuleError } from '../rule-error';
import { contractServiceOf, mayCall, type PeerRules } from './peer-rules';

const logger = new Logger('peerInterceptor');

/**
 * Refuses callers whose certificate may not call the service; health and reflection are for every verified peer. Only
 * for servers with mutual TLS, after the call has its context: a call without a certificate is refused.
 */
export function peerInterceptor(rules: PeerRules): ServerInterceptor {
  const lines = new LineBudget();
  return ({ path }, call) => {
    const service = contractServiceOf(path);
    if (service === undefined) return new ServerInterceptingCall(call);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        const peer = callContext.getStore()?.peer;
        if (peer && mayCall(rules, peer, service)) {
          next(metadata);
          return;
        }
        const error = new RuleError('PEER_NOT_ALLOWED', `${nameOf(peer)} may not call ${service}`);
        lines.write((left) => logger.warn(`${error.message}: refused to ${call.getPeer()} (GRPC_TLS_PEERS)${left}`));
        call.sendStatus(toStatus(error));
      })
      .build();
    return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
  };
}

const nameOf = (peer: readonly string[] | undefined): string =>
  peer === undefined ? 'a client whose certificate is not known' : peer.join(', ') || 'a certificate without DNS names and URIs';
