import type { Answer, GatewayFixture } from './gateway.fixture';

const TUS = { 'tus-resumable': '1.0.0' };
export const PIECE = { ...TUS, 'content-type': 'application/offset+octet-stream' };

/** Speaks tus by hand, header by header. */
export function tusOf(to: GatewayFixture) {
  const ask = (method: string, path = '', headers: Record<string, string> = {}, body?: Buffer | string): Promise<Answer> =>
    to.ask(`/api/v1/uploads${path}`, {
      method,
      headers: { ...TUS, ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
  /** @returns its path below that of uploads */
  const create = async (asked: number | Record<string, string>): Promise<string> => {
    const answer = await ask('POST', '', typeof asked === 'number' ? { 'upload-length': String(asked) } : asked);
    if (answer.status !== 201) throw new Error(`no upload was created: ${answer.status}`);
    return answer.headers.get('location')!.replace('/api/v1/uploads', '');
  };
  const patch = (path: string, offset: number, body: Buffer | string, headers: Record<string, string> = {}) =>
    ask('PATCH', path, { ...PIECE, 'upload-offset': String(offset), ...headers }, body);
  return { ask, create, patch };
}

export const told = ({ status, headers }: Answer) => [status, headers.get('upload-offset')];
export const fieldsOf = (json: { errors?: { field: string }[] }) => json.errors?.map(({ field }) => field);
