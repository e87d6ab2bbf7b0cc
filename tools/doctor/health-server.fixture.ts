import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { freePort } from '../../test/free-port';

type Status = 'SERVING' | 'NOT_SERVING';

/** A gRPC server that has its health only; its port. */
export async function startHealth(
  statuses: Record<string, Status>,
  credentials = ServerCredentials.createInsecure(),
): Promise<{ port: number; close: () => void }> {
  const server = new Server();
  new HealthImplementation(statuses).addToServer(server);
  const port = await freePort();
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, credentials, (error) => (error ? reject(error) : resolve())),
  );
  return { port, close: () => server.forceShutdown() };
}
