import { clockFinding } from './clock';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok } from './finding';
import { httpAnswer } from './http.probe';
import { reach, UnreachableError } from './tcp.probe';

/** Any address of this machine: asked for on loopback. */
const ANY = new Set(['0.0.0.0', '::']);

/** Whether the gateway answers, and is ready, and what its clock says. */
export async function checkGateway({ HTTP_HOST = '127.0.0.1', HTTP_PORT = 3000 }: DoctorSettings): Promise<Finding[]> {
  const host = ANY.has(HTTP_HOST) ? '127.0.0.1' : HTTP_HOST;
  const what = `gateway ${host}:${HTTP_PORT}`;
  try {
    (await reach('the gateway', { host, port: HTTP_PORT, setting: 'HTTP_HOST and HTTP_PORT' })).destroy();
    const { status, date, asked } = await httpAnswer(
      new URL(`http://${host.includes(':') ? `[${host}]` : host}:${HTTP_PORT}/health/ready`),
    );
    const clock = date === undefined ? [] : [clockFinding('the gateway', date, asked, 1000)];
    if (status === 200) return [ok(what, 'ready'), ...clock];
    const todo =
      status === 503
        ? 'It cannot reach mail: see mail in this list, by the address that the gateway has (GRPC_MAIL_SERVICE_ADDR).'
        : 'Something else listens there? Put HTTP_PORT right.';
    return [failure(what, `/health/ready answers ${status}`, todo), ...clock];
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(what, error.message, error.todo)];
    return [failure(what, (error as Error).message, 'It hangs, or something else listens there: look at its log, and at HTTP_PORT.')];
  }
}
