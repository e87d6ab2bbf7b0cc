import { readFileSync } from 'node:fs';
import type { DoctorSettings } from './doctor.settings';
import { type HttpAnswer, httpAnswer } from './http.probe';

/** How etcd is reached and who asks: as the apps' own settings have it. */
export type EtcdSettings = Pick<
  DoctorSettings,
  'ETCD_ENDPOINTS' | 'ETCD_TLS_CA' | 'ETCD_TLS_CERT' | 'ETCD_TLS_KEY' | 'ETCD_USERNAME' | 'ETCD_PASSWORD'
>;

export interface Registration {
  /** Without the prefix, such as `mail/host-1`. */
  key: string;
  address: string;
}

const PREFIX = '/services/';
const AFTER_PREFIX = '/services0';
const MAX_REGISTRATIONS = 1000;

/** What etcd answers to a range, by its JSON: base64 all through. */
interface Range {
  kvs?: { key: string; value?: string }[];
}

/**
 * Every registration of a service, from the first endpoint that answers.
 * @throws Error of the last one that did not
 */
export async function registrationsIn(settings: EtcdSettings): Promise<Registration[]> {
  let failure = new Error('ETCD_ENDPOINTS is empty');
  for (const endpoint of settings.ETCD_ENDPOINTS ?? []) {
    try {
      return await registrationsAt(endpoint, settings);
    } catch (error) {
      failure = error as Error;
    }
  }
  throw failure;
}

/** Where the instances of a service are, as they have registered themselves. @throws as `registrationsIn` */
export async function instancesIn(settings: EtcdSettings, service: string): Promise<{ host: string; port: number }[]> {
  const registrations = await registrationsIn(settings);
  return registrations
    .filter(({ key }) => key.startsWith(`${service}/`))
    .map(({ address }) => {
      const at = address.lastIndexOf(':');
      return { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    });
}

/** An endpoint may come without a scheme, which is https then where TLS is set. */
export function urlOf(endpoint: string, { ETCD_TLS_CA, ETCD_TLS_CERT }: EtcdSettings): URL {
  if (/^https?:\/\//.test(endpoint)) return new URL(endpoint);
  return new URL(`${(ETCD_TLS_CA ?? ETCD_TLS_CERT) === undefined ? 'http' : 'https'}://${endpoint}`);
}

/** One question to one endpoint, by the JSON that etcd serves beside gRPC. */
export function askEtcd(endpoint: string, path: string, settings: EtcdSettings, request?: object, token?: string): Promise<HttpAnswer> {
  const pem = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file, 'utf8'));
  return httpAnswer(new URL(path, urlOf(endpoint, settings)), {
    ca: pem(settings.ETCD_TLS_CA),
    cert: pem(settings.ETCD_TLS_CERT),
    key: pem(settings.ETCD_TLS_KEY),
    ...(request && { method: 'POST', body: JSON.stringify(request) }),
    ...(token !== undefined && { headers: { authorization: token } }),
  });
}

async function registrationsAt(endpoint: string, settings: EtcdSettings): Promise<Registration[]> {
  const { ETCD_USERNAME: name, ETCD_PASSWORD: password } = settings;
  const ask = async <Answer>(path: string, request: object, token?: string): Promise<Answer> => {
    const { status, text } = await askEtcd(endpoint, path, settings, request, token);
    if (status !== 200) throw new Error(`etcd answers ${status}: ${messageIn(text)}`);
    return JSON.parse(text) as Answer;
  };
  const { token } = name === undefined ? {} : await ask<{ token?: string }>('/v3/auth/authenticate', { name, password });
  const range = { key: base64(PREFIX), range_end: base64(AFTER_PREFIX), limit: MAX_REGISTRATIONS };
  const { kvs = [] } = await ask<Range>('/v3/kv/range', range, token);
  return kvs.map(({ key, value = '' }) => ({ key: fromBase64(key).slice(PREFIX.length), address: fromBase64(value) }));
}

const messageIn = (text: string): string => /"message"\s*:\s*"([^"]{1,200})"/.exec(text)?.[1] ?? text.slice(0, 100);

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString();
