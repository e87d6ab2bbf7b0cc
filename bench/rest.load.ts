import { Agent, request } from 'node:http';
import { closedLoop, type Load } from './load';

/** POST /api/v1/mail/send over kept connections. */
export async function restLoad(gateway: string, token: string, body: string, callers: number, seconds: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const call = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`${gateway}/api/v1/mail/send`, { method: 'POST', agent, headers }, (response) => {
        response.resume();
        response.once('end', () => (response.statusCode === 202 ? resolve() : reject(new Error(String(response.statusCode)))));
      });
      sent.once('error', reject);
      sent.end(body);
    });
  try {
    return await closedLoop(callers, seconds, call);
  } finally {
    agent.destroy();
  }
}
