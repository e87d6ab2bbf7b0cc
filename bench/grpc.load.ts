import { type Client, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Email, loadPackage, type SendEmailRequest } from '@sky-genesis/proto';
import { closedLoop, type Load } from './load';

interface MailServiceClient extends Client {
  sendEmail(request: SendEmailRequest, metadata: Metadata, done: (error: ServiceError | null) => void): void;
}

/** MailService/SendEmail on one channel. */
export async function grpcLoad(address: string, token: string, email: Email, callers: number, seconds: number): Promise<Load> {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: { MailService: new (address: string, secure: unknown, options: object) => MailServiceClient };
  };
  const client = new contract.MailService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const call = () =>
    new Promise<void>((resolve, reject) => client.sendEmail({ email }, metadata, (error) => (error ? reject(error) : resolve())));
  try {
    return await closedLoop(callers, seconds, call);
  } finally {
    client.close();
  }
}
