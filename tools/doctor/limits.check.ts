import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { messageLimitOf } from './message-size.probe';
import { instancesOf, type Service } from './service.instances';
import { addressOf } from './tcp.probe';
import type { TlsFiles } from './tls.probe';

/** Whether all that runs takes messages of the same size as the settings here say: what one part takes, the next must. */
export async function checkMessageSize(
  services: readonly Service[],
  settings: DoctorSettings,
  tls: TlsFiles | undefined,
): Promise<Finding[]> {
  const { GRPC_MAX_MESSAGE_SIZE: here } = settings;
  const told = (await Promise.all(services.map((service) => limitsOf(service, settings, tls)))).flat();
  if (here === undefined || told.length === 0) return [];
  const others = told.filter(({ limit }) => limit !== here);
  const what = 'message size';
  if (others.length === 0) return [ok(what, `${here} bytes at most, here and in ${told.map(({ where }) => where).join(', ')}`)];
  const found = `${others.map(({ where, limit }) => `${where} takes ${limit} bytes`).join(', ')}, and the settings here say ${here}`;
  const todo =
    'Give all parts the same GRPC_MAX_MESSAGE_SIZE, and start anew those that had another: what the larger one takes, the smaller refuses.';
  return [failure(what, found, todo)];
}

async function limitsOf(
  service: Service,
  settings: DoctorSettings,
  tls: TlsFiles | undefined,
): Promise<{ where: string; limit: number }[]> {
  const instances = await instancesOf(service, settings).catch(() => []);
  const limits = instances.map(async (instance) => ({
    where: `${service.program} ${addressOf(instance)}`,
    limit: await messageLimitOf(addressOf(instance), tls),
  }));
  return (await Promise.all(limits)).filter((found): found is { where: string; limit: number } => found.limit !== undefined);
}

/** What waits behind another has to wait longer, or what is cut comes without a reason: by the settings alone. */
export function checkTimeouts(settings: DoctorSettings): Finding[] {
  const { GRPC_TIMEOUT: call, GRPC_STREAM_IDLE_TIMEOUT: idle, EDGE_PORT } = settings;
  if (EDGE_PORT === undefined || call === undefined || idle === undefined) return [];
  const drain = Number(settings.EDGE_DRAIN_SECONDS);
  const silence = Number(settings.EDGE_STREAM_IDLE_SECONDS);
  const what = 'timeouts';
  const findings: Finding[] = [];
  if (silence <= idle) {
    const found = `EDGE_STREAM_IDLE_SECONDS is ${silence}, and services end a silent stream after ${idle} s (GRPC_STREAM_IDLE_TIMEOUT)`;
    findings.push(warning(what, found, 'Let the edge wait longer: else it cuts a stream before the service tells why it ends.'));
  }
  if (drain <= call + 5) {
    const found = `EDGE_DRAIN_SECONDS is ${drain}, and a call may take ${call} s and 5 (GRPC_TIMEOUT)`;
    findings.push(warning(what, found, 'Let the edge drain longer: else calls are cut when it is replaced.'));
  }
  return findings.length > 0 ? findings : [ok(what, `a call ${call} s, a silent stream ${idle} s; the edge waits longer`)];
}
