import {
  type ChannelCredentials,
  type Client,
  type ClientUnaryCall,
  credentials,
  loadPackageDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { WAIT_MS } from './finding';
import type { TlsFiles } from './tls.probe';

export interface HealthAnswer {
  status: 'SERVING' | 'NOT_SERVING' | 'UNKNOWN_SERVICE' | 'DEADLINE_EXCEEDED' | 'FAILED';
  /** Of a failure, for a person. */
  told: string;
}

interface HealthClient extends Client {
  check(
    request: { service: string },
    options: { deadline: number },
    answered: (error: ServiceError | null, answer?: { status: string }) => void,
  ): ClientUnaryCall;
}

type HealthClientClass = new (address: string, secure: ChannelCredentials, options: object) => HealthClient;

/**
 * What grpc.health.v1 says of a service, asked by the product's own gRPC client.
 * @param name that is asked for; the name in the certificate is not looked at: `probeTls` tells of it
 */
export async function healthOf(address: string, service: string, name: string, tls: TlsFiles | undefined): Promise<HealthAnswer> {
  const { grpc } = loadPackageDefinition(loadPackage()) as unknown as { grpc: { health: { v1: { Health: HealthClientClass } } } };
  const client = new grpc.health.v1.Health(address, credentialsOf(tls), {
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
    ...(tls && { 'grpc.ssl_target_name_override': name }),
  });
  try {
    return await new Promise<HealthAnswer>((resolve) => {
      client.check({ service }, { deadline: Date.now() + WAIT_MS }, (error, answer) => resolve(error ? failed(error) : answered(answer)));
    });
  } finally {
    client.close();
  }
}

const credentialsOf = (tls: TlsFiles | undefined): ChannelCredentials =>
  tls
    ? credentials.createSsl(bytes(tls.ca), bytes(tls.key), bytes(tls.cert), { checkServerIdentity: () => undefined })
    : credentials.createInsecure();

const bytes = (pem: string | undefined): Buffer | null => (pem === undefined ? null : Buffer.from(pem));

const answered = (answer: { status: string } | undefined): HealthAnswer => ({
  status: answer?.status === 'SERVING' ? 'SERVING' : 'NOT_SERVING',
  told: '',
});

function failed({ code, details }: ServiceError): HealthAnswer {
  if (code === status.NOT_FOUND || code === status.UNIMPLEMENTED) return { status: 'UNKNOWN_SERVICE', told: details };
  if (code === status.DEADLINE_EXCEEDED) return { status: 'DEADLINE_EXCEEDED', told: `no answer within ${WAIT_MS / 1000} s` };
  return { status: 'FAILED', told: `no answer by gRPC: ${status[code]} ${details.replace(/\. Resolution note:.*$/, '')}` };
}
