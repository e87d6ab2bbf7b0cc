import { type DynamicModule, Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import type { TokenSettings } from './auth.settings';
import { JwtStrategy } from './jwt.strategy';
import { ServiceTokens } from './service-tokens';
import { TokenVerifier } from './token-verifier';

/** Authentication of an HTTP app: what JwtAuthGuard and ScopeGuard need, and ServiceTokens for the calls behind. */
@Module({})
export class AuthModule {
  static forRoot(settings: TokenSettings): DynamicModule {
    return {
      module: AuthModule,
      global: true,
      imports: [PassportModule],
      providers: [
        { provide: TokenVerifier, useFactory: () => new TokenVerifier(settings) },
        { provide: ServiceTokens, useFactory: () => new ServiceTokens(settings.SERVICE_KEY) },
        JwtStrategy,
      ],
      exports: [TokenVerifier, ServiceTokens],
    };
  }
}
