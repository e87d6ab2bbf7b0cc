import { cpus, totalmem } from 'node:os';
import type { Email } from '@sky-genesis/proto';
import { Client } from 'pg';
import { BenchStack } from './bench-stack';
import { bulkLoad } from './bulk.load';
import { cpuMicroseconds, residentMebibytes } from './cpu';
import { grpcLoad } from './grpc.load';
import { insertLoad } from './insert.load';
import type { Load } from './load';
import { restLoad } from './rest.load';
import { submitEmailsLoad } from './submit-emails.load';

const BODY_BYTES = 1000;
const WARM_UP_SECONDS = 3;
/** Callers at a time; of the bulk streams: one stream, with so many messages of so many mails under way. */
const CALLERS = [1, 64];
const BULK = { messages: 5, mails: 50 };
const BULK_MAILS = [BULK.messages * BULK.mails];

const mail = {
  from: 'Sender <sender@example.com>',
  to: ['recipient@example.com'],
  subject: 'A mail of about one kilobyte',
  body: 'x'.repeat(BODY_BYTES),
};
const email: Email = { id: '', ...mail, timestamp: '0', attachments: [] };

interface Row extends Load {
  name: string;
  callers: number;
  cpu: { gateway: number; mail: number; postgres: number };
}

/** Mails accepted a second, on every way in. */
export async function acceptBench(seconds: number, rounds: number): Promise<void> {
  // Accepting alone; delivery is measured by the proof of 20,000 mails.
  const stack = await BenchStack.start({ MAIL_WORKER: 'false' });
  try {
    await describe(stack, seconds, rounds);
    const rows = await measure(stack, seconds, rounds);
    print(rows);
    const { gateway, mail: mailPid } = stack.description.pids;
    console.log(`\nresident: gateway ${residentMebibytes(gateway).toFixed(0)} MiB, mail ${residentMebibytes(mailPid).toFixed(0)} MiB`);
  } finally {
    await stack.stop();
  }
}

/** Every kind of load in turn, round after round, so that a machine that drifts drifts for all of them. */
async function measure({ description, databaseUrl }: BenchStack, seconds: number, rounds: number): Promise<Row[]> {
  const { token, urls, ports, pids } = description;
  const grpc = `127.0.0.1:${ports.mail_grpc}`;
  const kinds = [
    { name: 'PostgreSQL, one row', atATime: CALLERS, load: (n: number, s: number) => insertLoad(databaseUrl, JSON.stringify(mail), n, s) },
    { name: 'gRPC SendEmail', atATime: CALLERS, load: (n: number, s: number) => grpcLoad(grpc, token, email, n, s) },
    { name: 'REST mail/send', atATime: CALLERS, load: (n: number, s: number) => restLoad(urls.gateway, token, JSON.stringify(mail), n, s) },
    { name: 'gRPC SubmitEmails', atATime: BULK_MAILS, load: (_: number, s: number) => submitEmailsLoad(grpc, token, email, BULK, s) },
    { name: 'REST mail/bulk', atATime: BULK_MAILS, load: (_: number, s: number) => bulkLoad(urls.gateway, token, mail, BULK, s) },
  ];
  for (const { atATime, load } of kinds) await load(atATime.at(-1) ?? 1, WARM_UP_SECONDS);
  const rows: Row[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const callers of [...CALLERS, ...BULK_MAILS]) {
      for (const { name, load } of kinds.filter(({ atATime }) => atATime.includes(callers))) {
        const cpuNow = () => [pids.gateway, pids.mail, pids.postgres].map(cpuMicroseconds);
        const before = cpuNow();
        const result = await load(callers, seconds);
        const [gateway = 0, mailCpu = 0, postgres = 0] = cpuNow().map((after, i) => (after - (before[i] ?? 0)) / result.requests);
        rows.push({ name, callers, ...result, cpu: { gateway, mail: mailCpu, postgres } });
        console.error(`round ${round + 1}: ${name}, ${callers} at a time: ${result.perSecond.toFixed(0)}/s`);
      }
    }
  }
  return rows;
}

async function describe({ databaseUrl }: BenchStack, seconds: number, rounds: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  const show = async (name: string) => (await client.query<Record<string, string>>(`show ${name}`)).rows[0]?.[name];
  const settings = { version: await show('server_version'), fsync: await show('fsync'), sync: await show('synchronous_commit') };
  await client.end();
  console.log(`${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`);
  console.log(
    `PostgreSQL ${settings.version}, fsync ${settings.fsync}, synchronous_commit ${settings.sync}; load, apps and database share the machine`,
  );
  console.log(
    `mails of ${BODY_BYTES} bytes of text; ${rounds} interleaved rounds of ${seconds} s, medians; CPU in microseconds a mail; ` +
      `SubmitEmails and mail/bulk: one stream with ${BULK.messages} messages of ${BULK.mails} mails under way, p50 and p99 of a message to its last answer\n`,
  );
}

function print(rows: readonly Row[]): void {
  const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
  console.log('| load | at a time | accepts/s | of PostgreSQL | p50 ms | p99 ms | gateway CPU | mail CPU | PostgreSQL CPU | errors |');
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const callers of [...CALLERS, ...BULK_MAILS]) {
    // Of as many callers, or of the most there are.
    const asMany = Math.min(callers, CALLERS.at(-1) ?? callers);
    const yardstick = median(rows.filter((row) => row.callers === asMany && row.name.startsWith('PostgreSQL')).map((row) => row.perSecond));
    for (const name of new Set(rows.filter((row) => row.callers === callers).map((row) => row.name))) {
      const same = rows.filter((row) => row.name === name && row.callers === callers);
      const of = (pick: (row: Row) => number, digits = 0) => median(same.map(pick)).toFixed(digits);
      const ratio = (median(same.map((row) => row.perSecond)) / yardstick).toFixed(2);
      const cells = [name, callers, of((r) => r.perSecond), ratio, of((r) => r.p50, 2), of((r) => r.p99, 2), of((r) => r.cpu.gateway)];
      console.log(
        `| ${[...cells, of((r) => r.cpu.mail), of((r) => r.cpu.postgres), same.reduce((sum, row) => sum + row.errors, 0)].join(' | ')} |`,
      );
    }
  }
}
