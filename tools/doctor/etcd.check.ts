import { readFileSync } from 'node:fs';
import { etcdEndpoint } from '@sky-genesis/grpc';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { httpAnswer, tlsFault } from './http.probe';
import { registrationsOf } from './registrations';
import { services } from './service.instances';
import { reach, UnreachableError } from './tcp.probe';

/** Each endpoint of etcd by itself, and what is registered there; nothing where no etcd is used. */
export async function checkEtcd(settings: DoctorSettings): Promise<Finding[]> {
  const { ETCD_ENDPOINTS: endpoints = [] } = settings;
  const findings = await Promise.all(endpoints.map((endpoint) => checkEndpoint(endpoint, settings)));
  const healthy = endpoints.filter((_endpoint, at) => findings[at]?.state === 'ok');
  if (healthy.length === 0) return findings;
  return [...findings.map(asOneOfSeveral), await registered(healthy, settings)];
}

/** Clients go to another one. */
const asOneOfSeveral = (finding: Finding): Finding => (finding.state === 'failure' ? { ...finding, state: 'warning' } : finding);

async function checkEndpoint(endpoint: string, settings: DoctorSettings): Promise<Finding> {
  const what = `etcd ${endpoint}`;
  try {
    const { address, secure } = etcdEndpoint(endpoint, settings);
    const url = new URL(`${secure ? 'https' : 'http'}://${address}/health`);
    (await reach('etcd', { host: url.hostname, port: Number(address.split(':').at(-1)), setting: 'ETCD_ENDPOINTS' })).destroy();
    const { status, text } = await httpAnswer(url, secure ? tlsOf(settings) : {});
    if (status === 200 && text.includes('"true"')) return ok(what, 'healthy');
    const todo = 'It has no leader or no room: look at `etcdctl endpoint status`, and at its log.';
    return failure(what, `/health answers ${status} ${text.slice(0, 100)}`, todo);
  } catch (error) {
    return unhealthy(what, error as Error);
  }
}

function tlsOf({ ETCD_TLS_CA, ETCD_TLS_CERT, ETCD_TLS_KEY }: DoctorSettings) {
  const pem = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, 'utf8'));
  return { ca: pem(ETCD_TLS_CA), cert: pem(ETCD_TLS_CERT), key: pem(ETCD_TLS_KEY) };
}

function unhealthy(what: string, error: Error): Finding {
  if (error instanceof UnreachableError) return failure(what, error.message, error.todo);
  const { found, todo } = tlsFault(error, 'ETCD_TLS_CA') ?? {
    found: error.message,
    todo: 'Does etcd listen there, with TLS as ETCD_ENDPOINTS has it? Does it ask for a certificate (ETCD_TLS_CERT, ETCD_TLS_KEY)?',
  };
  return failure(what, found, todo);
}

async function registered(endpoints: readonly string[], settings: DoctorSettings): Promise<Finding> {
  const what = 'registrations';
  try {
    const lists = await Promise.all(services.map(({ program }) => registrationsOf(program, endpoints, settings)));
    const found = lists.flat().map(({ service, instance, address }) => `${service}/${instance} at ${address}`);
    if (found.length > 0) return ok(what, found.join(', '));
    return warning(what, 'none under /services/', 'Start mail and search with the same ETCD_ENDPOINTS: they register themselves.');
  } catch (error) {
    return failure(what, (error as Error).message, 'Put right ETCD_USERNAME and ETCD_PASSWORD, and what that user may read (/services/).');
  }
}
