/** What GRPC_MAIL_SERVICE_ADDR and its like may say. */
export type ServiceAddress =
  | { by: 'hosts'; hosts: { host: string; port: number }[] }
  /** Every address that the name has. */
  | { by: 'dns'; host: string; port: number }
  /** As registered under `/services/<service>/`. */
  | { by: 'etcd'; service: string };

/**
 * `host:port`, several of them separated by commas, `dns:///host:port` or `etcd:///service`.
 * @throws Error that says what it must be
 */
export function parseServiceAddress(text: string): ServiceAddress {
  const [, service] = /^etcd:\/\/\/([a-z0-9-]+)$/.exec(text) ?? [];
  if (service !== undefined) return { by: 'etcd', service };
  const [, name] = /^dns:(?:\/\/[^/]*\/)?([^/]+)$/.exec(text) ?? [];
  if (name !== undefined) return { by: 'dns', ...hostAndPort(name) };
  return { by: 'hosts', hosts: text.split(',').map((part) => hostAndPort(part.trim())) };
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, host, port] = /^(\[[0-9a-fA-F:.]+\]|[^:/\s]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535 || Number(port) < 1)
    throw new Error('must be host:port, several with commas, dns:///host:port or etcd:///service');
  return { host, port: Number(port) };
}
