import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { WAIT_MS } from './finding';
import { unbracketed } from './tcp.probe';

const MAX_ANSWER_BYTES = 4_194_304;

export interface HttpQuestion {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** PEM; left out: the public authorities. */
  ca?: string | undefined;
  /** PEM, of this side. */
  cert?: string | undefined;
  key?: string | undefined;
}

export interface HttpAnswer {
  status: number;
  text: string;
  /** The `Date` of the answer, in milliseconds, cut to seconds; undefined where it has none. */
  date: number | undefined;
  /** By this machine's clock. */
  asked: { from: number; to: number };
}

/** What is wrong with the TLS of a server, by the codes of Node; undefined where that is not what failed. */
export function tlsFault({ code = '' }: NodeJS.ErrnoException, caSetting: string): { found: string; todo: string } | undefined {
  if (code === 'CERT_HAS_EXPIRED') return { found: 'TLS: its certificate has expired', todo: 'Renew its certificate.' };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return { found: 'TLS: its certificate is not for this name', todo: 'Ask for it by a name that it has, or give it one for this name.' };
  }
  if (/^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(VERIFY|GET))/.test(code)) {
    const todo = `Let ${caSetting} hold the authority that signed it, as PEM.`;
    return { found: `TLS: who signed its certificate is not trusted here (${code})`, todo };
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return { found: `TLS: no handshake (${code})`, todo: 'Does it speak TLS? Put right http or https in the URL.' };
  }
  return undefined;
}

/** One question by HTTP, within `WAIT_MS`, on a connection of its own. @throws Error of Node, with its code */
export function httpAnswer(url: URL, { method = 'GET', headers = {}, body, ca, cert, key }: HttpQuestion = {}): Promise<HttpAnswer> {
  const from = Date.now();
  const request = url.protocol === 'https:' ? requestTls : requestPlain;
  const signal = AbortSignal.timeout(WAIT_MS);
  return new Promise((resolve, reject) => {
    request(
      {
        host: unbracketed(url.hostname),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method,
        headers: {
          ...headers,
          ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
        agent: false,
        signal,
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert, key }),
      },
      (response) => {
        const to = Date.now();
        const date = Date.parse(response.headers.date ?? '');
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_ANSWER_BYTES) response.destroy(new Error(`an answer of more than ${MAX_ANSWER_BYTES} bytes`));
        });
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            date: Number.isNaN(date) ? undefined : date,
            asked: { from, to },
          }),
        );
        response.on('error', reject);
      },
    )
      .on('error', (error) => reject(signal.aborted ? new Error(`no answer within ${WAIT_MS / 1000} s`) : error))
      .end(body);
  });
}
