import { Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { notAuthenticated } from './token-verifier';

/** Asks for a valid token; the Caller is then `request.user`. */
@Injectable()
export class JwtAuthGuard extends AuthGuard('jwt') {
  override handleRequest<User>(error: unknown, user: User | false | null, reason: unknown): User {
    if (error || !user) throw notAuthenticated(error || reason);
    return user;
  }
}
