import { BareHttp } from './bare-http';
import { BenchStack } from './bench-stack';
import { cpuMicroseconds, residentMebibytes } from './cpu';
import type { ServerFigures, TransferFigures } from './file-figures';
import { FileContent, type FileWire } from './file-wire';
import { printTransfers, writeTransfers } from './files-report';
import { GrpcFileWire } from './grpc-file.wire';
import { HttpFileWire } from './http-file.wire';

const AT_A_TIME = [1, 8];
const SAMPLE_MS = 50;
const WARM_UP_MEBIBYTES = 128;

export interface FilesBenchOptions {
  /** What is moved at a time, in one file or in several. */
  gibibytes: number;
  rounds: number;
  write: boolean;
}

/** Files up and down, on both wires, beside the same bytes over bare node:http. */
export async function filesBench(options: FilesBenchOptions): Promise<void> {
  const stack = await BenchStack.start({ MAIL_WORKER: 'false' });
  try {
    const bare = await BareHttp.start();
    try {
      const figures = await measure(stack, bare, options);
      printTransfers(figures, options);
      if (options.write) writeTransfers(figures, options);
    } finally {
      await bare.stop();
    }
  } finally {
    await stack.stop();
  }
}

/** Every wire in turn, round after round, so that a machine that drifts drifts for all of them. */
async function measure(stack: BenchStack, bare: BareHttp, { gibibytes, rounds }: FilesBenchOptions): Promise<TransferFigures[]> {
  const { urls, ports, pids } = stack.description;
  const token = stack.tokenOf('bench', 'files.write files.read');
  const servers = { mail: pids.mail, gateway: pids.gateway, bare: bare.pid };
  const wires: FileWire[] = [
    new HttpFileWire('bare node:http', bare.url, token),
    new GrpcFileWire(`127.0.0.1:${ports.mail_grpc}`, token),
    new HttpFileWire('REST', urls.gateway, token),
  ];
  try {
    const figures: TransferFigures[] = [];
    for (const wire of wires) await bothWays(wire, Math.max(...AT_A_TIME), WARM_UP_MEBIBYTES, servers);
    for (let round = 0; round < rounds; round++) {
      for (const atATime of AT_A_TIME) {
        for (const wire of wires) {
          const both = await bothWays(wire, atATime, gibibytes * 1024, servers);
          figures.push(...both);
          for (const { direction, mebibytesPerSecond } of both) {
            console.error(`round ${round + 1}: ${wire.name}, ${direction}, ${atATime} at a time: ${mebibytesPerSecond.toFixed(0)} MiB/s`);
          }
        }
      }
    }
    return figures;
  } finally {
    for (const wire of wires) wire.close();
  }
}

type Servers = Record<keyof ServerFigures, number>;

/** What was uploaded is downloaded again, and removed. */
async function bothWays(wire: FileWire, atATime: number, mebibytes: number, servers: Servers): Promise<TransferFigures[]> {
  const contents = Array.from({ length: atATime }, () => new FileContent(Math.ceil(mebibytes / atATime)));
  const bytes = contents.reduce((sum, content) => sum + content.bytes, 0);
  let ids: string[] = [];
  const up = await measured(bytes, servers, async () => {
    ids = await Promise.all(contents.map((content) => wire.upload(content)));
  });
  const down = await measured(bytes, servers, async () => {
    const came = await Promise.all(ids.map((id) => wire.download(id)));
    if (came.some((count, i) => count !== contents[i]?.bytes)) throw new Error(`${wire.name} gave ${came.join(', ')} bytes`);
  });
  for (const id of ids) await wire.remove(id);
  return [
    { wire: wire.name, direction: 'up', atATime, ...up },
    { wire: wire.name, direction: 'down', atATime, ...down },
  ];
}

async function measured(bytes: number, servers: Servers, transfer: () => Promise<void>) {
  const each = (of: (pid: number, name: keyof ServerFigures) => number): ServerFigures => ({
    mail: of(servers.mail, 'mail'),
    gateway: of(servers.gateway, 'gateway'),
    bare: of(servers.bare, 'bare'),
  });
  const before = each(residentMebibytes);
  let peak = before;
  const sampler = setInterval(() => (peak = each((pid, name) => Math.max(peak[name], residentMebibytes(pid)))), SAMPLE_MS);
  const spent = each(cpuMicroseconds);
  const beganAt = performance.now();
  try {
    await transfer();
  } finally {
    clearInterval(sampler);
  }
  const seconds = (performance.now() - beganAt) / 1000;
  const cpu = each((pid, name) => (cpuMicroseconds(pid) - spent[name]) / 1e6 / (bytes / 2 ** 30));
  return { mebibytesPerSecond: bytes / 2 ** 20 / seconds, cpu, before, peak };
}
