import { type Client, Metadata } from '@grpc/grpc-js';
import type { ClientGrpc } from '@nestjs/microservices';
import type {
  CancelEmailRequest,
  CancelEmailResponse,
  GetEmailRequest,
  GetEmailResponse,
  ListEmailsRequest,
  ListEmailsResponse,
  SubmitEmailRequest,
  SubmitEmailResponse,
} from '@sky-genesis/proto';
import { type CallOptions, unaryCall } from './grpc-client';

export interface MailClientSettings {
  timeoutMs: number;
  /** Gives the token that says which service calls; undefined where services have no key. */
  serviceToken: () => Promise<string> | undefined;
}

/** MailService as seen by its callers: the only place where they meet. */
export class MailClient {
  private readonly mail: Client;
  private readonly health: Client;

  constructor(
    client: ClientGrpc,
    private readonly settings: MailClientSettings,
  ) {
    this.mail = client.getClientByServiceName<Client>('MailService');
    this.health = client.getClientByServiceName<Client>('Health');
  }

  submitEmail(request: SubmitEmailRequest, options: CallOptions): Promise<SubmitEmailResponse> {
    return this.call('submitEmail', request, options);
  }

  getEmail(request: GetEmailRequest, options: CallOptions): Promise<GetEmailResponse> {
    return this.call('getEmail', request, options);
  }

  listEmails(request: ListEmailsRequest, options: CallOptions): Promise<ListEmailsResponse> {
    return this.call('listEmails', request, options);
  }

  cancelEmail(request: CancelEmailRequest, options: CallOptions): Promise<CancelEmailResponse> {
    return this.call('cancelEmail', request, options);
  }

  /** Whether MailService says that it is SERVING (grpc.health.v1). */
  async isServing(timeoutMs: number): Promise<boolean> {
    const request = { service: 'sky_genesis.MailService' };
    const { status } = await unaryCall<{ status: string }>(this.health, 'check', request, new Metadata(), timeoutMs);
    return status === 'SERVING';
  }

  private async call<Response>(method: string, request: unknown, options: CallOptions): Promise<Response> {
    const metadata = new Metadata();
    if (options.authorization) metadata.set('authorization', options.authorization);
    if (options.idempotencyKey) metadata.set('idempotency-key', options.idempotencyKey);
    const serviceToken = await this.settings.serviceToken();
    if (serviceToken) metadata.set(SERVICE_AUTHORIZATION, `Bearer ${serviceToken}`);
    const timeoutMs = Math.min(options.timeoutMs ?? Infinity, this.settings.timeoutMs);
    return unaryCall(this.mail, method, request, metadata, timeoutMs);
  }
}

/** Which of the product's own services calls, beside `authorization`, which says on whose behalf. */
export const SERVICE_AUTHORIZATION = 'x-service-authorization';
