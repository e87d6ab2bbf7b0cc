import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { isContentLost } from '../store-error';
import { s3Error } from './s3-error';
import type { S3Settings } from './s3.settings';

const CONNECT_MS = 5000;
/** Until the answer begins, and between any two bytes of it. */
const ANSWER_MS = 30_000;
/** The slowest that bytes may go to the server, for each request. */
const MIN_BYTES_PER_MS = 256;
/** Servers put the parts together before they answer. */
const COMPLETE_MS = 300_000;
const ATTEMPTS = 3;
const MAX_SOCKETS = 256;

/** What the store asks of an S3 server; every wait is bounded, and every error one of the port. */
export class S3ObjectClient {
  private readonly s3: S3Client;
  private readonly bucket: string;

  constructor(settings: S3Settings) {
    const { S3_ENDPOINT: endpoint, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
    const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
    this.bucket = String(settings.S3_BUCKET);
    this.s3 = new S3Client({
      region: settings.S3_REGION,
      ...(endpoint !== undefined && { endpoint }),
      ...(accessKeyId !== undefined && secretAccessKey !== undefined && { credentials: { accessKeyId, secretAccessKey } }),
      forcePathStyle: settings.S3_PATH_STYLE,
      maxAttempts: ATTEMPTS,
      // Not every server knows the checksums that the SDK likes to add.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new NodeHttpHandler({
        connectionTimeout: CONNECT_MS,
        requestTimeout: ANSWER_MS,
        throwOnRequestTimeout: true,
        socketTimeout: ANSWER_MS,
        httpAgent: new HttpAgent(agent),
        httpsAgent: new HttpsAgent(agent),
      }),
    });
  }

  async put(key: string, body: Buffer, abortSignal?: AbortSignal): Promise<void> {
    const command = new PutObjectCommand({ ...this.at(key), Body: body, ContentLength: body.length });
    await told(this.s3.send(command, { ...(abortSignal && { abortSignal }), requestTimeout: timeToSend(body) }));
  }

  /** Of bytes that may be fewer than asked for. @param end behind the last byte */
  async get(key: string, offset: number, end: number): Promise<Readable> {
    const { Body: body } = await told(this.s3.send(new GetObjectCommand({ ...this.at(key), Range: `bytes=${offset}-${end - 1}` })));
    return body as Readable;
  }

  /** undefined: there is no such object. Unlike a HEAD this tells a missing bucket from a missing object. */
  async size(key: string): Promise<number | undefined> {
    const { Contents: [first] = [] } = await told(this.s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix: key, MaxKeys: 1 })));
    return first?.Key === key ? first.Size : undefined;
  }

  async remove(key: string): Promise<void> {
    await unlessGone(this.s3.send(new DeleteObjectCommand(this.at(key))));
  }

  /** Keys that begin so, 1000 at a time. */
  async *keys(prefix: string): AsyncGenerator<string[]> {
    for (let token: string | undefined, more = true; more; more = token !== undefined) {
      const page = await told(
        this.s3.send(new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ...(token && { ContinuationToken: token }) })),
      );
      yield (page.Contents ?? []).map(({ Key }) => Key!);
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    }
  }

  async createUpload(key: string): Promise<string> {
    return (await told(this.s3.send(new CreateMultipartUploadCommand(this.at(key))))).UploadId!;
  }

  async hasUpload(key: string, uploadId: string): Promise<boolean> {
    return unlessGone(this.s3.send(new ListPartsCommand({ ...this.at(key), UploadId: uploadId, MaxParts: 1 })));
  }

  /** @param number counts from 1 @returns its ETag */
  async putPart(key: string, uploadId: string, number: number, body: Buffer, abortSignal?: AbortSignal): Promise<string> {
    const part = { ...this.at(key), UploadId: uploadId, PartNumber: number, Body: body, ContentLength: body.length };
    const options = { ...(abortSignal && { abortSignal }), requestTimeout: timeToSend(body) };
    return (await told(this.s3.send(new UploadPartCommand(part), options))).ETag!;
  }

  /** Makes a part of bytes of the object that already has the key. @param end behind the last byte @returns its ETag */
  async copyPart(key: string, uploadId: string, number: number, offset: number, end: number): Promise<string> {
    const part = { ...this.at(key), UploadId: uploadId, PartNumber: number };
    const source = { CopySource: encodeURI(`${this.bucket}/${key}`), CopySourceRange: `bytes=${offset}-${end - 1}` };
    return (await told(this.s3.send(new UploadPartCopyCommand({ ...part, ...source })))).CopyPartResult!.ETag!;
  }

  async completeUpload(key: string, uploadId: string, etags: readonly string[]): Promise<void> {
    const Parts = etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 }));
    const command = new CompleteMultipartUploadCommand({ ...this.at(key), UploadId: uploadId, MultipartUpload: { Parts } });
    await told(this.s3.send(command, { requestTimeout: COMPLETE_MS }));
  }

  /** Ends all uploads of the key, whoever began them. */
  async abortUploads(key: string): Promise<void> {
    for (let marker: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {}; marker;) {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({ Bucket: this.bucket, Prefix: key, ...marker });
      const page = await told(this.s3.send(command));
      for (const { Key, UploadId } of page.Uploads ?? []) if (Key === key) await this.abortUpload(key, UploadId!);
      const { IsTruncated, NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
      marker = IsTruncated && KeyMarker && UploadIdMarker ? { KeyMarker, UploadIdMarker } : undefined;
    }
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    await unlessGone(this.s3.send(new AbortMultipartUploadCommand({ ...this.at(key), UploadId: uploadId })));
  }

  private at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: key };
  }
}

const timeToSend = (body: Buffer): number => ANSWER_MS + body.length / MIN_BYTES_PER_MS;

async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw s3Error(error);
  }
}

/** @returns whether it was there */
async function unlessGone(answer: Promise<unknown>): Promise<boolean> {
  try {
    await told(answer);
    return true;
  } catch (error) {
    if (isContentLost(error)) return false;
    throw error;
  }
}
