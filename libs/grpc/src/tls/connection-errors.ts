import type { ServiceError } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { fromServiceError, STATUS_DETAILS } from '../grpc-status';
import { LineBudget } from '../line-budget';
import { RuleError } from '../rule-error';
import type { CertificateFiles } from './certificate-files';
import { causeIn, type ConnectionCause, connectionCauses } from './connection-cause';
import { probe } from './connection.probe';

export interface ConnectionTarget {
  /** As certificates name it, such as `mail`. */
  service: string;
  /** host:port of each instance that is known now. */
  addresses: () => readonly string[];
  /** The name that certificates are checked for, where it is not the host of the address. */
  host?: string;
  /** Undefined where gRPC is plaintext. */
  files?: CertificateFiles | undefined;
}

const PROBE_EVERY_MS = 10_000;
const PROBE_TIMEOUT_MS = 1000;
const MAX_PROBED = 3;

const logger = new Logger('connection');

/**
 * Why the calls to one service fail before they reach it. The caller is told which service and which cause; addresses,
 * names and chains go to the log, once in ten seconds.
 */
export class ConnectionErrors {
  private readonly lines = new LineBudget();
  private probeAt = 0;
  private probed: Promise<ConnectionCause | undefined> = Promise.resolve(undefined);

  constructor(private readonly target: ConnectionTarget) {}

  /**
   * What a call failed with: as the service threw it, or, where it was not reached or does not let this process in,
   * SERVICE_UNAVAILABLE with `service` and `cause` in its facts. Takes up to a second where grpc-js does not tell the cause.
   */
  async explain(error: ServiceError): Promise<RuleError> {
    const thrown = fromServiceError(error);
    if (thrown.reason === 'PEER_NOT_ALLOWED') return this.notAllowed(thrown);
    const isOfService = (error.metadata?.get(STATUS_DETAILS).length ?? 0) > 0;
    if (thrown.reason !== 'SERVICE_UNAVAILABLE' || isOfService) return thrown;
    const said = causeIn(error.details);
    const probing = this.look(error.details);
    if (said !== 'UNKNOWN' && said !== 'CONNECTION_LOST') return this.unavailable(said);
    return this.unavailable((await probing) ?? said);
  }

  /** No fault of who asked this process: a certificate or GRPC_TLS_PEERS is to be mended. */
  private notAllowed({ message }: RuleError): RuleError {
    this.lines.write((left) => logger.error(`${this.target.service} refuses the calls of this process: ${message}${left}`));
    return this.unavailable('PEER_NOT_ALLOWED');
  }

  private unavailable(cause: ConnectionCause): RuleError {
    const { service } = this.target;
    return new RuleError('SERVICE_UNAVAILABLE', `The service ${service} cannot be reached: ${connectionCauses[cause]}.`, {
      facts: { service, cause },
    });
  }

  private look(details: string): Promise<ConnectionCause | undefined> {
    if (performance.now() >= this.probeAt) {
      this.probeAt = performance.now() + PROBE_EVERY_MS;
      this.probed = this.probeAll(details);
    }
    return this.probed;
  }

  private async probeAll(details: string): Promise<ConnectionCause | undefined> {
    const { service, addresses, host, files } = this.target;
    const known = addresses();
    const findings = await Promise.all(
      known
        .slice(0, MAX_PROBED)
        .map((address) => probe({ address, host: host ?? hostOf(address), service, certificates: files?.current }, PROBE_TIMEOUT_MS)),
    );
    const failed = findings.find(({ cause }) => cause !== undefined);
    const found = findings.map(({ cause, told }) => (cause ? `${cause}: ${told}` : told)).join('. ') || 'no address is known';
    // Such as one that was ended under the call.
    if (findings.length > 0 && !failed) logger.warn(`a call lost its connection to ${service}. ${found}. grpc-js: ${details.trim()}`);
    else logger.error(`${service} cannot be reached (${known.length} addresses). ${found}. grpc-js: ${details.trim()}`);
    return failed?.cause;
  }
}

const hostOf = (address: string): string => address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
