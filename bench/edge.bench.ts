import { BenchStack } from './bench-stack';
import type { WireRequest } from './call-wire';
import { type EdgeCall, edgeCallsLoad } from './edge-calls.load';
import type { EdgeFigures } from './edge-figures';
import { printEdge, writeEdge } from './edge-report';
import { type EdgeRequests, edgeRequests } from './edge-requests';
import { type EdgeTransfer, edgeTransfersLoad } from './edge-transfers.load';
import { type EdgeWires, openEdgeWires } from './edge-wires';
import { firstByteLoad, sessionOf } from './first-byte.load';
import { type Loss, LossyPath } from './lossy-path';
import { lossyPathLoad } from './lossy-path.load';

const WARM_UP_SECONDS = 0.5;
const TRANSFER_MEBIBYTES = 100;
const LOSSES = [0, 10].flatMap((delayMs) => [0, 0.01, 0.05].map((dropped) => ({ delayMs, dropped })));
const LOSSY_MEBIBYTES = 16;
const LOSSY_SECONDS = 2;
const FIRST_BYTE_DELAY_MS = 50;
const FIRST_BYTES_OF_ROUND = 3;
/** Requests of one address a second: the limit is not what is measured. */
const NO_LIMIT = '1000000';
const SCOPES = 'mail.send mail.read files.read files.write';

export interface EdgeBenchOptions {
  /** Of each load. */
  seconds: number;
  rounds: number;
  /** Whether docs/bench-edge.md and its charts are written, beside being printed. */
  write: boolean;
}

/** What the edge costs: calls and files directly, through it over each version of HTTP, over HTTP/3 on a lossy path, and in early data. */
export async function edgeBench(options: EdgeBenchOptions): Promise<void> {
  const limits = { EDGE_REQUESTS_PER_SECOND: NO_LIMIT, EDGE_TOKEN_REQUESTS_PER_SECOND: NO_LIMIT };
  const stack = await BenchStack.start({ MAIL_WORKER: 'false', SGE_EDGE: 'on', ...limits });
  const paths: LossyPath[] = [];
  const pathWith = async (loss: Loss): Promise<LossyPath> => {
    const path = await LossyPath.to(stack.edge.port, loss);
    paths.push(path);
    return path;
  };
  try {
    for (const loss of LOSSES) await pathWith(loss);
    const lossyPaths = [...paths];
    const delayedPath = await pathWith({ dropped: 0, delayMs: FIRST_BYTE_DELAY_MS });
    const figures = await measure(stack, lossyPaths, delayedPath, options);
    const setup = {
      ...options,
      transferMebibytes: TRANSFER_MEBIBYTES,
      lossyMebibytes: LOSSY_MEBIBYTES,
      firstByteDelayMs: FIRST_BYTE_DELAY_MS,
    };
    printEdge(figures, setup);
    if (options.write) writeEdge(figures, setup);
  } finally {
    for (const path of paths) await path.stop();
    await stack.stop();
  }
}

/** Everything in turn, round after round, so that a machine that drifts drifts for all of it; each round on connections of its own. */
async function measure(
  stack: BenchStack,
  lossyPaths: readonly LossyPath[],
  delayedPath: LossyPath,
  { seconds, rounds }: EdgeBenchOptions,
): Promise<EdgeFigures> {
  const { description, edge } = stack;
  const { ports, urls } = description;
  const pids = { ...description.pids, edge: edge.pid };
  const requests = edgeRequests(stack.tokenOf('bench', SCOPES));
  const ids = await makeMailAndFiles(urls.gateway, requests);
  const lossy = {
    download: requests.restDownload(ids.smallFile),
    mebibytes: LOSSY_MEBIBYTES,
    call: requests.getEmail(ids.mail),
    seconds: LOSSY_SECONDS,
  };
  const session = await sessionOf(edge);
  const figures: EdgeFigures = { calls: [], transfers: [], loss: [], firstByte: [] };
  const withWires = async (use: (wires: EdgeWires) => Promise<void>): Promise<void> => {
    const wires = await openEdgeWires({ mail: ports.mail_grpc, gateway: ports.gateway }, edge);
    await use(wires).finally(wires.close);
  };

  await withWires(async (wires) => void (await edgeCallsLoad(callsBy(wires, requests, ids), pids, WARM_UP_SECONDS, 0)));
  for (let round = 0; round < rounds; round++) {
    await withWires(async (wires) => {
      figures.calls.push(...(await edgeCallsLoad(callsBy(wires, requests, ids), pids, seconds, round)));
      figures.transfers.push(...(await edgeTransfersLoad(transfersBy(wires, requests, ids), pids, round)));
    });
    figures.loss.push(...(await lossyPathLoad(lossyPaths, edge.ca, lossy, round)));
    for (let time = 0; time < FIRST_BYTES_OF_ROUND; time++) {
      figures.firstByte.push(...(await firstByteLoad({ port: delayedPath.port, ca: edge.ca }, session, requests.restList())));
    }
    console.error(`round ${round + 1} of ${rounds}`);
  }
  return figures;
}

type Ids = Awaited<ReturnType<typeof makeMailAndFiles>>;

/** What is read later. */
async function makeMailAndFiles(gateway: string, requests: EdgeRequests) {
  const { message_id: mail = '' } = await made(gateway, requests.restSend());
  const { file_id: file = '' } = await made(gateway, requests.restUpload(TRANSFER_MEBIBYTES));
  const { file_id: smallFile = '' } = await made(gateway, requests.restUpload(LOSSY_MEBIBYTES));
  return { mail, file, smallFile };
}

async function made(gateway: string, { method, path, headers, body }: WireRequest): Promise<Record<string, string>> {
  const bytes = typeof body === 'function' ? Buffer.concat([...body()]) : (body ?? null);
  const answer = await fetch(new URL(path, gateway), { method, headers, body: bytes });
  return (await answer.json()) as Record<string, string>;
}

const callsBy = ({ grpc, rest }: EdgeWires, requests: EdgeRequests, { mail }: Ids): EdgeCall[] => [
  { name: 'gRPC GetEmail', request: requests.getEmail(mail), wires: grpc },
  { name: 'gRPC SubmitEmail', request: requests.submitEmail(), wires: grpc },
  { name: 'REST GET mail/:id', request: requests.restGet(mail), wires: rest },
  { name: 'REST POST mail/send', request: requests.restSend(), wires: rest },
];

function transfersBy({ grpc, rest }: EdgeWires, requests: EdgeRequests, { file }: Ids): EdgeTransfer[] {
  const mebibytes = TRANSFER_MEBIBYTES;
  // The client of quic-go keeps all messages of a call.
  const streaming = grpc.filter(({ pid }) => pid === undefined);
  return [
    { name: 'gRPC DownloadFile', request: requests.downloadFile(file), mebibytes, wires: streaming },
    { name: 'REST download', request: requests.restDownload(file), mebibytes, wires: rest },
    { name: 'gRPC UploadFile', request: requests.uploadFile(mebibytes), mebibytes, wires: streaming },
    { name: 'REST upload', request: requests.restUpload(mebibytes), mebibytes, wires: rest },
  ];
}
