import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { probeTls } from './tls.probe';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { httpAnswer, tlsFault } from './http.probe';
import { reach, UnreachableError } from './tcp.probe';

const HOST = 'localhost';

/** The edge of this machine, where its port is known: reached, its certificate, and ready by way of the gateway. */
export async function checkEdge({ EDGE_PORT, EDGE_DIR, EDGE_TLS_CERT }: DoctorSettings): Promise<Finding[]> {
  if (EDGE_PORT === undefined) return [];
  const what = `edge ${HOST}:${EDGE_PORT}`;
  const place = { host: HOST, port: Number(EDGE_PORT), setting: 'EDGE_PORT' };
  // Without a certificate of the person's own it is of a development CA beside it.
  const ownCa = join(EDGE_DIR ?? '', 'tls', 'ca.pem');
  const ca = EDGE_TLS_CERT === undefined && existsSync(ownCa) ? readFileSync(ownCa, 'utf8') : undefined;
  try {
    const shown = await probeTls(await reach('the edge', place), { host: HOST }, { ca }, 'EDGE_TLS_CERT', ['http/1.1']);
    const findings = shown.faults.map(({ found, todo }) => warning(what, `TLS, by the name ${HOST}: ${found}`, todo));
    if (shown.endsSoon) findings.push(warning(what, `TLS: ${shown.summary}: less than two weeks`, 'Renew EDGE_TLS_CERT.'));
    if (shown.faults.length > 0) return findings;
    const { status } = await httpAnswer(new URL(`https://${HOST}:${EDGE_PORT}/health/ready`), { ca });
    if (status === 200) return [ok(what, `ready, ${shown.protocol}, ${shown.summary}`), ...findings];
    return [
      failure(what, `/health/ready answers ${status}`, 'It cannot reach the gateway: see gateway in this list, and EDGE_GATEWAY_ADDR.'),
      ...findings,
    ];
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(what, error.message, error.todo)];
    const { found, todo } = tlsFault(error as Error, 'EDGE_TLS_CERT') ?? {
      found: (error as Error).message,
      todo: 'Look at the log of the edge.',
    };
    return [failure(what, found, todo)];
  }
}
