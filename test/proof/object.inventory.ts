import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { S3 } from './stack-parts';

/** What a store of objects holds, without asking the product: names of objects, and of whatever else there is. */
export type ObjectInventory = () => Promise<string[]>;

const FOLDER_ONLY = /^store-id$|^lock$/;

/** Files that are being written stand with their folder, so that none of them is taken for an object. */
export const folderInventory =
  (folder: string): ObjectInventory =>
  async () => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const objects = join(folder, 'objects');
    return entries
      .filter((entry) => entry.isFile() && !(entry.parentPath === folder && FOLDER_ONLY.test(entry.name)))
      .map(({ name, parentPath }) => (parentPath.startsWith(objects) ? name : join(parentPath, name)));
  };

/** Multipart uploads stand with their id. */
export const bucketInventory =
  ({ url: endpoint, bucket: Bucket, accessKeyId, secretAccessKey }: S3): ObjectInventory =>
  async () => {
    const client = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true });
    try {
      const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket }));
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }));
      if (IsTruncated) throw new Error('the bucket has more objects than one page');
      return [...Contents.map(({ Key }) => Key!), ...Uploads.map(({ Key, UploadId }) => `${Key} (upload ${UploadId})`)];
    } finally {
      client.destroy();
    }
  };
