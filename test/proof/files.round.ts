import { setTimeout as sleep } from 'node:timers/promises';
import { type Delivered, deliverAttachment } from './attachment.delivery';
import { FileContent, ReceivedContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import { GrpcFileEntrance } from './grpc.file-entrance';
import { lineChart } from './line-chart';
import { MemoryCurve } from './memory.curve';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { RestFileEntrance } from './rest.file-entrance';
import type { Findings, Invariant, Round, RoundContext } from './round';
import { SlowReader } from './slow-reader';

const MOST_GROWTH_MEBIBYTES = 64;
const WARM_UP_MEBIBYTES = 128;
/** What is left of one transfer is collected before the next is measured. */
const REST_MS = 3000;
const SLOWEST_OF_A_SECOND = 0.7;
const COLORS = { gateway: '#00a9a5', mail: '#336791' };

export const files: Round = {
  title: 'files of any size at constant memory',
  does:
    'Sends a file up and brings it down again, on gRPC and then on REST, against a started stack with default settings, while other clients read another file of the same ' +
    'size at 1 MiB a second each, on the same wire. Then a mail whose attachment is a file of 40 MiB goes to the SMTP sink. The resident memory of gateway and mail is ' +
    'read four times a second; what it grows by is counted from after a warm-up (128 MiB up and down on each wire) to the highest that was seen.',
  count: { of: 'MiB of each transfer', default: 1024, max: 5120 },
  concurrency: { of: 'slow readers', default: 1, max: 8 },
  run,
};

interface Transfer {
  wire: string;
  direction: 'up' | 'down';
  mebibytesPerSecond: number;
  /** Whether what came is what was sent; of an upload it is seen by the download. */
  same: boolean;
}

type Memory = MemoryCurve<'gateway' | 'mail'>;

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count } = context;
  const stack = await ProofStack.start(started, context.settings);
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const settings = await database.settings();
  const { urls, ports, token } = stack.description;
  const entrances = [
    new GrpcFileEntrance(`127.0.0.1:${ports.mail_grpc}`, token, started),
    new RestFileEntrance(urls.gateway, token, started),
  ];
  const pids = { gateway: stack.pid('gateway'), mail: stack.pid('mail') };
  const memory: Memory = new MemoryCurve(pids, started);
  context.progress(() => `${memory.count} samples of memory`);

  memory.mark('warm-up');
  const small = new FileContent(Math.min(count, WARM_UP_MEBIBYTES), context.random);
  for (const entrance of entrances) await bothWays(entrance, small, memory, say);
  await sleep(REST_MS);
  const baselines = { gateway: memory.baseline('gateway'), mail: memory.baseline('mail') };

  const transfers: Transfer[] = [];
  const readers: SlowReader[] = [];
  const rates: number[] = [];
  const slowContent = new FileContent(count, context.random);
  const slowFile = await entrances[0]!.upload(slowContent);
  for (const entrance of entrances) {
    const slow = Array.from({ length: context.concurrency }, () => new SlowReader(entrance, slowFile, slowContent, started));
    transfers.push(...(await bothWays(entrance, new FileContent(count, context.random), memory, say)));
    rates.push(...(await Promise.all(slow.map((reader) => reader.end()))));
    readers.push(...slow);
  }
  const peaks = { gateway: memory.peakSince('gateway', baselines.gateway), mail: memory.peakSince('mail', baselines.mail) };

  await sleep(REST_MS);
  const delivered = await deliverAttachment({ stack, entrance: entrances[0]!, memory, random: context.random });
  const samePids = stack.pid('gateway') === pids.gateway && stack.pid('mail') === pids.mail;
  const grown = (['gateway', 'mail'] as const).map((name): Invariant => {
    const [{ mebibytes: before }, peak] = [baselines[name], peaks[name]];
    return {
      holds: peak - before < MOST_GROWTH_MEBIBYTES,
      text: `${name} grew by less than ${MOST_GROWTH_MEBIBYTES} MiB (${(peak - before).toFixed(1)} MiB: from ${before.toFixed(1)} to ${peak.toFixed(1)})`,
    };
  });
  return {
    settings,
    figures: [
      ...transfers.map(({ wire, direction, mebibytesPerSecond }): [string, string] => [
        `${wire}, ${direction}`,
        `${mebibytesPerSecond.toFixed(0)} MiB/s`,
      ]),
      ['slow readers, each', rates.map((rate) => `${rate.toFixed(2)} MiB/s`).join(', ')],
      ['slow readers, all together', `${(readers.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20).toFixed(0)} MiB`],
      ['the attachment, from the submit to the inbox', `${delivered.seconds.toFixed(1)} s`],
      ['samples of memory', memory.count],
    ],
    invariants: [
      ...transfers
        .filter(({ direction }) => direction === 'down')
        .map(({ wire, same }) => ({ holds: same, text: `${count} MiB came back as they were sent (sha256), on ${wire}` })),
      { holds: readers.every(({ different }) => different === 0), text: 'every slow reader read what was sent (sha256)' },
      {
        holds: rates.every((rate) => rate > SLOWEST_OF_A_SECOND),
        text: `none of them was starved: each had more than ${SLOWEST_OF_A_SECOND} MiB a second`,
      },
      ...grown,
      ...attachmentInvariants(delivered),
      { holds: samePids, text: 'gateway and mail are the same processes as at the start' },
    ],
    notes: [
      'Resident memory is VmRSS of the process by the kernel. It holds everything: the heap, buffers outside of it, code, and what the allocator keeps for later.',
      'The baseline is the highest of the three seconds after the warm-up, so that what a first transfer takes for good (compiled code, pools) is not counted as growth.',
      'The clients run on the same machine and take their share of the CPU: the rates are those of a busy machine. `npm run bench -- files` measures rates.',
    ],
    picture: { title: 'Resident memory of gateway and mail', svg: lineChart(memory.chart('Resident memory', COLORS)) },
  };
}

async function bothWays(entrance: FileEntrance, content: FileContent, memory: Memory, say: (line: string) => void): Promise<Transfer[]> {
  const transfer = async <Result>(direction: 'up' | 'down', work: () => Promise<Result>): Promise<[number, Result]> => {
    memory.mark(`${entrance.name} ${direction}`);
    const beganAt = performance.now();
    const result = await work();
    const rate = content.mebibytes / ((performance.now() - beganAt) / 1000);
    say(`${entrance.name}, ${content.mebibytes} MiB ${direction}: ${rate.toFixed(0)} MiB/s`);
    return [rate, result];
  };
  const [up, fileId] = await transfer('up', () => entrance.upload(content));
  const [down, received] = await transfer('down', async () => {
    const all = new ReceivedContent();
    for await (const data of entrance.download(fileId)) all.take(data);
    return all;
  });
  const same = received.isAllOf(content);
  return [
    { wire: entrance.name, direction: 'up', mebibytesPerSecond: up, same },
    { wire: entrance.name, direction: 'down', mebibytesPerSecond: down, same },
  ];
}

const MOST_DELIVERY_GROWTH_MEBIBYTES = 32;

const attachmentInvariants = ({ same, bytes, before, peak }: Delivered): Invariant[] => [
  { holds: same, text: `the attachment is in the inbox as it was uploaded (${bytes} bytes, sha256)` },
  {
    holds: peak - before < MOST_DELIVERY_GROWTH_MEBIBYTES,
    text: `mail grew by less than ${MOST_DELIVERY_GROWTH_MEBIBYTES} MiB while it delivered it (${(peak - before).toFixed(1)} MiB: from ${before.toFixed(1)} to ${peak.toFixed(1)})`,
  },
];
