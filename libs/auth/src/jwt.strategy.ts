import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { Caller } from '@sky-genesis/grpc';
import { Strategy } from 'passport-jwt';
import { bearerToken } from './bearer-token';
import { TokenVerifier } from './token-verifier';

/** passport-jwt with the keys and rules of TokenVerifier. Passport is one per process: the module made last counts. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor(private readonly verifier: TokenVerifier) {
    super({
      // passport-jwt's own extractor takes time by the square of the header's length.
      jwtFromRequest: ({ headers }: IncomingMessage) => bearerToken(headers.authorization) ?? null,
      secretOrKeyProvider: (_request, token: string, done) => {
        verifier
          .keyFor(token)
          .then((key) => done(null, key as never))
          .catch((error: unknown) => done(error));
      },
      // Given twice: what is missing at the top overrides what is below with nothing.
      ...verifier.rules,
      jsonWebTokenOptions: verifier.rules,
    });
  }

  validate(claims: unknown): Caller {
    return this.verifier.callerOf(claims);
  }
}
