import { askEtcd, type EtcdSettings, registrationsIn, urlOf } from './etcd.client';
import { failure, type Finding, ok, warning } from './finding';
import { tlsFault } from './http.probe';
import { reach, UnreachableError } from './tcp.probe';

/** Each endpoint of etcd by itself, and what is registered there; nothing where no etcd is used. */
export async function checkEtcd(settings: EtcdSettings): Promise<Finding[]> {
  const { ETCD_ENDPOINTS: endpoints = [] } = settings;
  if (endpoints.length === 0) return [];
  const findings = await Promise.all(endpoints.map((endpoint) => checkEndpoint(endpoint, settings)));
  if (findings.every(({ state }) => state === 'failure')) return findings;
  return [...findings.map(asOneOfSeveral), await registered(settings)];
}

/** Clients go to another one. */
const asOneOfSeveral = (finding: Finding): Finding => (finding.state === 'failure' ? { ...finding, state: 'warning' } : finding);

async function checkEndpoint(endpoint: string, settings: EtcdSettings): Promise<Finding> {
  try {
    const { hostname: host, port, host: where } = urlOf(endpoint, settings);
    const what = `etcd ${where}`;
    (await reach('etcd', { host, port: Number(port) || 2379, setting: 'ETCD_ENDPOINTS' })).destroy();
    const { status, text } = await askEtcd(endpoint, '/health', settings);
    if (status === 200 && text.includes('"true"')) return ok(what, 'healthy');
    const todo = 'It has no leader or no room: look at `etcdctl endpoint status`, and at its log.';
    return failure(what, `/health answers ${status} ${text.slice(0, 100)}`, todo);
  } catch (error) {
    return unhealthy(`etcd ${endpoint}`, error as Error);
  }
}

function unhealthy(what: string, error: Error): Finding {
  if (error instanceof UnreachableError) return failure(what, error.message, error.todo);
  const { found, todo } = tlsFault(error, 'ETCD_TLS_CA') ?? {
    found: error.message,
    todo: 'Does etcd listen there? Put ETCD_ENDPOINTS right, with https:// where it speaks TLS.',
  };
  return failure(what, found, todo);
}

async function registered(settings: EtcdSettings): Promise<Finding> {
  const what = 'registrations';
  try {
    const found = await registrationsIn(settings);
    if (found.length > 0) return ok(what, found.map(({ key, address }) => `${key} at ${address}`).join(', '));
    return warning(what, 'none under /services/', 'Start mail and search with the same ETCD_ENDPOINTS: they register themselves.');
  } catch (error) {
    return failure(what, (error as Error).message, 'Put right ETCD_USERNAME and ETCD_PASSWORD, and what that user may read (/services/).');
  }
}
