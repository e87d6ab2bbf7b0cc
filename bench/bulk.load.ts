import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { closedLoop, type Load } from './load';
import { MessagesUnderWay } from './messages-under-way';

/** POST /api/v1/mail/bulk: one request, written `messages` times `mails` lines ahead of its answers. A latency is that of so many lines. */
export async function bulkLoad(
  gateway: string,
  token: string,
  mail: object,
  { messages, mails }: { messages: number; mails: number },
  seconds: number,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
  const underWay = new MessagesUnderWay(mails);
  const sent = request(`${gateway}/api/v1/mail/bulk`, { method: 'POST', agent, headers }, (response) => {
    createInterface({ input: response }).on('line', (line) => {
      const { request_ref, problem } = JSON.parse(line) as { request_ref: string; problem?: object };
      underWay.answered(request_ref, problem === undefined);
    });
  });
  const closed = once(sent, 'close');
  sent.once('error', (error) => underWay.fail(error));
  try {
    return await closedLoop(
      messages,
      seconds,
      () => {
        const { refs, done } = underWay.begin();
        sent.write(refs.map((request_ref) => `${JSON.stringify({ ...mail, request_ref })}\n`).join(''));
        return done;
      },
      mails,
    );
  } finally {
    sent.end();
    await closed;
    agent.destroy();
  }
}
