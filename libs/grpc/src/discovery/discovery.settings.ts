import { accessSync, constants } from 'node:fs';
import { integer, listOf, optional } from '@sky-genesis/config';
import { z } from 'zod';
import { parseHostPort } from './host-port';
import { parseServiceAddress } from './service-address';

const pemFile = () => optional().check(isReadable);

/** Where etcd is and how it is spoken to; every app's schema spreads them. */
export const etcdSettings = {
  ETCD_ENDPOINTS: listOf([])
    .check(areEndpoints)
    .describe(
      'The etcd that services register in and are found by (etcd:///mail): http://host:port, https://host:port or host:port, which is https with any ETCD_TLS_ setting; separated by commas. Empty: none.',
    ),
  ETCD_TLS_CA: pemFile().describe('Path of a PEM file: who may have signed the certificate of etcd. Empty: the public authorities.'),
  ETCD_TLS_CERT: pemFile().describe('Path of a PEM file: the certificate that is shown to etcd. Read again at each new connection.'),
  ETCD_TLS_KEY: pemFile().describe('Path of a PEM file: the key of that certificate.'),
  ETCD_USERNAME: optional().describe('The user of etcd. Empty: none is named.'),
  ETCD_PASSWORD: optional().describe('The password of that user.'),
  ETCD_LEASE_SECONDS: integer(2, 300, 10).describe(
    'How long an instance that is silent stays registered, and how long those that vanished from etcd with others are still believed to be there.',
  ),
};

/** How a server tells etcd of itself; its schema spreads them beside `etcdSettings`. */
export const registrationSettings = {
  GRPC_ADVERTISED_ADDR: optional()
    .check(isHostPort)
    .describe('host:port that others reach this instance by, told to etcd. Empty: GRPC_HOST:GRPC_PORT.'),
  SERVICE_INSTANCE: optional()
    .refine(
      (name?: string) => name === undefined || /^[\w.:-]{1,128}$/.test(name),
      'must be 1 to 128 of A-Z, a-z, 0-9, ".", ":", "_" and "-"',
    )
    .describe('The name of this instance in etcd, of which no other may be. Empty: the name of the host and the advertised port.'),
};

export type EtcdSettings = z.infer<z.ZodObject<typeof etcdSettings>>;
export type RegistrationSettings = z.infer<z.ZodObject<typeof registrationSettings>> & { GRPC_HOST: string; GRPC_PORT: number };

type Ruled = Partial<EtcdSettings & RegistrationSettings & Record<(typeof SERVICE_ADDRESSES)[number], string | undefined>>;

const SERVICE_ADDRESSES = ['GRPC_MAIL_SERVICE_ADDR', 'GRPC_SEARCH_SERVICE_ADDR'] as const;

/** What the settings of discovery say together. */
export const discoveryRules = z.superRefine<Ruled>(
  (settings, report) => {
    const fault = (name: string, message: string) => report.addIssue({ code: 'custom', path: [name], message });
    const together = (one: keyof EtcdSettings, other: keyof EtcdSettings) => {
      if (settings[one] !== undefined && settings[other] === undefined) fault(other, `is needed with ${one}`);
    };
    together('ETCD_TLS_CERT', 'ETCD_TLS_KEY');
    together('ETCD_TLS_KEY', 'ETCD_TLS_CERT');
    together('ETCD_USERNAME', 'ETCD_PASSWORD');
    together('ETCD_PASSWORD', 'ETCD_USERNAME');
    const etcd = (settings.ETCD_ENDPOINTS ?? []).length > 0;
    for (const name of SERVICE_ADDRESSES) {
      if (!etcd && settings[name]?.startsWith('etcd:')) fault('ETCD_ENDPOINTS', `is needed with ${name}=${settings[name]}`);
    }
    if (etcd && settings.GRPC_ADVERTISED_ADDR === undefined && ['0.0.0.0', '::', '[::]'].includes(settings.GRPC_HOST ?? ''))
      fault('GRPC_ADVERTISED_ADDR', `is needed with ETCD_ENDPOINTS: nobody reaches GRPC_HOST=${settings.GRPC_HOST}`);
  },
  { when: () => true },
);

/** For `.check()` of a setting that `parseServiceAddress` reads. */
export const isServiceAddress = (payload: z.core.ParsePayload<string | undefined>): void => told(payload, parseServiceAddress);

/** @throws Error that says what is wrong with it */
export function etcdEndpoint(text: string, { ETCD_TLS_CA, ETCD_TLS_CERT }: Partial<EtcdSettings>): { address: string; secure: boolean } {
  const [, scheme, address] = /^(?:([a-z]+):\/\/)?(.*?)\/?$/.exec(text) as unknown as [string, string | undefined, string];
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
    throw new Error(`${text}: ${scheme}:// is neither http:// nor https://`);
  parseHostPort(address);
  return { address, secure: scheme === undefined ? (ETCD_TLS_CA ?? ETCD_TLS_CERT) !== undefined : scheme === 'https' };
}

/** What a server tells etcd of itself. */
export function advertisedAddress({ GRPC_ADVERTISED_ADDR, GRPC_HOST, GRPC_PORT }: RegistrationSettings): string {
  return GRPC_ADVERTISED_ADDR ?? `${GRPC_HOST.includes(':') && !GRPC_HOST.startsWith('[') ? `[${GRPC_HOST}]` : GRPC_HOST}:${GRPC_PORT}`;
}

function areEndpoints({ value, issues }: z.core.ParsePayload<string[]>): void {
  for (const endpoint of value) told({ value: endpoint, issues }, (text) => etcdEndpoint(text, {}));
}

function isHostPort(payload: z.core.ParsePayload<string | undefined>): void {
  told(payload, parseHostPort);
}

function isReadable(payload: z.core.ParsePayload<string | undefined>): void {
  told(payload, (path) => accessSync(path, constants.R_OK));
}

/** A fault for what the parser throws. */
function told({ value, issues }: z.core.ParsePayload<string | undefined>, parse: (text: string) => unknown): void {
  if (value === undefined) return;
  try {
    parse(value);
  } catch (error) {
    issues.push({ code: 'custom', input: value, message: (error as Error).message });
  }
}
