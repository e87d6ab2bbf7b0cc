import { Reflector } from '@nestjs/core';
import type { Rpc } from '@sky-genesis/grpc';

/** Names the RPC that a route calls, `@Calls('MailService/GetEmail')`: ScopeGuard asks for the scope of that RPC. */
export const Calls = Reflector.createDecorator<Rpc>();
