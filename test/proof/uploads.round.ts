import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eachOf } from './each-of';
import { FileReader } from './file.reader';
import { isWhole } from './file.watch';
import { untilNoneLeft } from './moving';
import { bucketInventory, folderInventory, type ObjectInventory } from './object.inventory';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import type { Findings, Round, RoundContext } from './round';
import { ROOT, type S3, S3Server } from './stack-parts';
import { makeContent } from './upload.content';
import { type Left, uploadFindings } from './upload.findings';
import { planUploads, type UploadPlan } from './upload.plan';
import { UploadVictims } from './upload.victims';
import { UploadFailure } from './upload.way';
import { Uploading, type UploadingParts } from './uploading';

/** Longer than a part is away and a claim of one that was killed lasts: what is gone on with does not expire. */
const EXPIRY_SECONDS = 45;
/** What a writer may have held that was killed is removed a minute later, and what could not be removed is tried again after another. */
const SWEEP_PATIENCE_MS = 200_000;
const READ_PATIENCE_MS = 60_000;
/** A part that is killed every few seconds is no part that cannot be kept running. */
const SETTINGS = { SGE_STEADY_SECONDS: '1', FILES_UPLOAD_EXPIRY_SECONDS: String(EXPIRY_SECONDS) };
const VERSITYGW = join(ROOT, '.provision', 'bin', 'versitygw');

export const uploads: Round = {
  title: 'uploads whose client, gateway, mail, PostgreSQL and store are killed with -9, gone on to the last byte',
  does:
    'The stack of `npm start`, with files in a folder (or in a versitygw of its own: --set FILES_STORE=s3). Files of 1 to 64 MiB, some of exactly as many bytes as ' +
    'checkpoints have, some of the same bytes as another, are uploaded by clients that are processes of their own, by a way of chance: UploadFile with an id from ' +
    'CreateUpload or without, tus over REST with checksums or without, or one POST. At bytes of chance, when all is sent and nothing answered, or while the upload finds ' +
    'its way back, one to six times an upload, the client, the gateway, mail, PostgreSQL or the store is killed with SIGKILL. A client, or the one after it, asks how ' +
    'far the upload came and goes on from there (a POST begins anew), until it is done. Meanwhile the id is looked at all the time, by GetFile, DownloadFile and GET. ' +
    'Some uploads are left for good by a client that is killed half way. In the end, when these have expired, all files are downloaded, and the store is listed.',
  count: { of: 'uploads', default: 50, max: 500 },
  concurrency: { of: 'uploads at a time', default: 2, max: 8 },
  run,
};

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count, concurrency, random, settings } = context;
  const folder = mkdtempSync(join(tmpdir(), 'sge-uploads-'));
  started.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const store = settings['FILES_STORE'] === 's3' ? await ownStore(context) : undefined;
  const stack = await ProofStack.start(started, { ...SETTINGS, ...(store && settingsOf(store)), ...settings });
  const { DATABASE_URL, FILES_DIR = '' } = stack.mailEnvironment();
  const { urls, ports, token } = stack.description;
  const system = { address: `127.0.0.1:${ports.mail_grpc}`, gateway: urls.gateway, token };
  const reader = new FileReader(system.address, system.gateway, token, started);
  const victims = new UploadVictims(stack, store, random.branch(-2));
  const all: Uploading[] = [];
  const finished = () => all.filter(({ isOver }) => isOver).length;
  context.progress(() => `${finished()} of ${count} over, ${all.reduce((sum, { kills }) => sum + kills.length, 0)} kills`);

  await eachOf(planUploads(count, random, store !== undefined), concurrency, async (plan) => {
    const path = join(folder, `${plan.number}.bin`);
    const expected = { size: plan.size, sha256: await makeContent(path, plan.content, plan.size) };
    const parts: UploadingParts = { victims, reader, random: random.branch(-10 - plan.number), started, system };
    const uploading = new Uploading(plan, path, expected, parts);
    all.push(uploading);
    await uploading.run();
    rmSync(path);
    say(lineOf(plan, uploading));
  });
  await victims.allBack();
  say(`all uploads are over; waiting until what was left has expired`);
  const database = await ProofDatabase.connect(DATABASE_URL, started);
  const left = await leftOf(all, {
    database,
    reader,
    context,
    inventory: store ? bucketInventory(store) : folderInventory(FILES_DIR),
  });
  const about = await database.settings();
  return uploadFindings(all, left, victims.outages, [['store', store ? 'S3 (versitygw)' : 'a folder'], ...about]);
}

async function ownStore({ started }: RoundContext): Promise<S3> {
  const server = await S3Server.started(VERSITYGW);
  started.onEnd(() => server.remove());
  return server;
}

const settingsOf = ({ url, bucket, accessKeyId, secretAccessKey }: S3) => ({
  S3_ENDPOINT: url,
  S3_BUCKET: bucket,
  S3_ACCESS_KEY_ID: accessKeyId,
  S3_SECRET_ACCESS_KEY: secretAccessKey,
});

interface Asked {
  database: ProofDatabase;
  reader: FileReader;
  inventory: ObjectInventory;
  context: RoundContext;
}

async function leftOf(all: readonly Uploading[], { database, reader, inventory, context: { say, random } }: Asked): Promise<Left> {
  const isSwept = await untilNoneLeft(() => database.filesUnderWay(), SWEEP_PATIENCE_MS);
  say('reading all files');
  const files = await database.files();
  const bySha256 = new Map(all.map(({ expected }) => [expected.sha256, expected]));
  const chance = random.branch(-3);
  const broken: string[] = [];
  const toRead = new Set([...files.keys(), ...all.flatMap(({ done }) => (done ? [done.fileId] : []))]);
  await eachOf(toRead, 2, async (fileId) => {
    const { DownloadFile, GET, 'GET in ranges': ranges } = reader.ways;
    const expected = all.find(({ done }) => done?.fileId === fileId)?.expected ?? bySha256.get(files.get(fileId) ?? '');
    const seen = await readAtLast(() => chance.pick([DownloadFile, GET, ranges])!(fileId));
    if (!expected || typeof seen === 'string' || !isWhole(seen, expected)) broken.push(`${fileId}: ${JSON.stringify(seen)}`);
  });
  return { isSwept, broken, files, objects: await database.objects(), stored: await inventory(), usage: await database.usage() };
}

/** What it was refused with, where that lasts. */
async function readAtLast<Seen>(read: () => Promise<Seen>): Promise<Seen | string> {
  for (const began = performance.now(); ; await sleep(200)) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof UploadFailure)) throw error;
      if (error.reason === 'FILE_NOT_FOUND' || performance.now() - began > READ_PATIENCE_MS) return error.reason;
    }
  }
}

function lineOf({ number, way, size, abandoned }: UploadPlan, { done, kills, faults }: Uploading): string {
  const end = done ? 'done' : abandoned ? 'left' : 'NOT done';
  const victims = kills.map(({ victim }) => victim).join(', ') || 'nothing';
  return `upload ${number} (${way}, ${size} bytes): ${end}; killed: ${victims}${faults.map((fault) => `; FAULT: ${fault}`).join('')}`;
}
