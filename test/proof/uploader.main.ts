import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { GrpcUploadWay } from './grpc.upload-way';
import { PostUploadWay } from './post.upload-way';
import { TusUploadWay } from './tus.upload-way';
import { type Tell, UploadFailure, type UploadJob, type UploadWay } from './upload.way';

const AGAIN_MS = { first: 100, longest: 1000 };

function wayOf(job: UploadJob, tell: Tell): UploadWay {
  switch (job.way) {
    case 'gRPC':
    case 'gRPC after CreateUpload':
      return new GrpcUploadWay(job, tell, job.way !== 'gRPC');
    case 'tus':
    case 'tus with checksums':
      return new TusUploadWay(job, tell, job.way !== 'tus');
    case 'POST':
      return new PostUploadWay(job, tell);
  }
}

/** One client: does its job, the first line of its input, and tries again until that is done. */
async function run(): Promise<void> {
  // What is written to a pipe has left this process: of one that was killed it is known how far it came.
  const tell: Tell = (told) => void process.stdout.write(`${JSON.stringify(told)}\n`);
  const input = createInterface({ input: process.stdin });
  const [line] = (await once(input, 'line')) as [string];
  // The input ends with the round.
  input.once('close', () => process.exit(1));
  tell({ kind: 'up' });
  const way = wayOf(JSON.parse(line) as UploadJob, tell);
  for (let pauseMs = AGAIN_MS.first; ; pauseMs = Math.min(2 * pauseMs, AGAIN_MS.longest)) {
    try {
      tell({ kind: 'done', ...(await way.attempt()) });
      return;
    } catch (error) {
      if (!(error instanceof UploadFailure)) throw error;
      tell({ kind: 'failed', reason: error.reason });
    }
    await sleep(pauseMs);
  }
}

void run().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
