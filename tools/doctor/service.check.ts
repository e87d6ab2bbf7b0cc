import { isIP } from 'node:net';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { type HealthAnswer, healthOf } from './health.probe';
import { type Instance, instancesOf, type Service } from './service.instances';
import { addressOf, reach, UnreachableError } from './tcp.probe';
import { NoTlsError, probeTls, type TlsFiles } from './tls.probe';
import type { TlsShown } from './tls.verdict';

const TLS_SETTINGS = 'GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA';

/** Each instance of a service: found, reached, TLS as the settings have it, and SERVING. */
export async function checkService(service: Service, settings: DoctorSettings, tls: TlsFiles | undefined): Promise<Finding[]> {
  try {
    const instances = await instancesOf(service, settings);
    return (await Promise.all(instances.map((instance) => checkInstance(service, instance, tls)))).flat();
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(service.program, error.message, error.todo)];
    throw error;
  }
}

async function checkInstance(service: Service, instance: Instance, tls: TlsFiles | undefined): Promise<Finding[]> {
  const what = `${service.program} ${addressOf(instance)}`;
  try {
    const socket = await reach(service.program, instance);
    if (tls) return await overTls(what, service, instance, tls, await probeTls(socket, expected(service, instance), tls, 'GRPC_TLS_CA'));
    socket.destroy();
    return [await overPlaintext(what, service, instance)];
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(what, error.message, error.todo)];
    if (!(error instanceof NoTlsError)) throw error;
    const todo = `Set ${TLS_SETTINGS} in ${service.program}, or none of them here.`;
    return [failure(what, `does not speak TLS, which the settings here ask for (${error.message})`, todo)];
  }
}

async function overTls(what: string, service: Service, instance: Instance, tls: TlsFiles, shown: TlsShown): Promise<Finding[]> {
  if (shown.faults.length > 0) return shown.faults.map(({ found, todo }) => failure(what, `TLS: ${found}`, todo));
  const finding = await healthFinding(what, service, instance, tls);
  if (!shown.endsSoon) return [finding];
  return [finding, warning(what, `TLS: ${shown.summary}: less than two weeks`, 'Renew the certificate.')];
}

/** A server that wants TLS ends a plaintext connection without a word: it is asked which it is. */
async function overPlaintext(what: string, service: Service, instance: Instance): Promise<Finding> {
  const finding = await healthFinding(what, service, instance, undefined);
  if (finding.state === 'ok') return finding;
  try {
    const shown = await probeTls(await reach(service.program, instance), expected(service, instance), {}, 'GRPC_TLS_CA');
    const todo = `Set ${TLS_SETTINGS} here, or none of them in ${service.program}. With grpcurl: -cacert, not -plaintext.`;
    return failure(what, `speaks TLS (${shown.summary}), which the settings here do not`, todo);
  } catch {
    return finding;
  }
}

const expected = ({ program }: Service, { name: host }: Instance) => ({ host, program });

async function healthFinding(what: string, service: Service, instance: Instance, tls: TlsFiles | undefined): Promise<Finding> {
  const began = performance.now();
  const answer = await healthOf(addressOf(instance), service.health, isIP(instance.name) === 0 ? instance.name : service.program, tls);
  const found = `SERVING, answers in ${Math.round(performance.now() - began)} ms${tls ? ' over TLS' : ''}`;
  return answer.status === 'SERVING' ? ok(what, found) : failure(what, ...unhealthy(answer, service));
}

function unhealthy({ status, told }: HealthAnswer, { program, setting, health }: Service): [found: string, todo: string] {
  switch (status) {
    case 'NOT_SERVING':
      return [
        'NOT_SERVING: it runs, and cannot serve or is being stopped',
        `Look at its database or engine in this list, and at the log of ${program}.`,
      ];
    case 'UNKNOWN_SERVICE':
      return [`speaks gRPC, and does not have ${health}`, `Another service listens there: put ${setting} right.`];
    case 'DEADLINE_EXCEEDED':
      return [told, `It hangs, or what listens there does not speak gRPC: look at the log and the CPU of ${program}, and at ${setting}.`];
    default:
      return [told, `Does something else listen there? Put ${setting} right, or look at the log of ${program}.`];
  }
}
