import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '../../apps/mail/src/files/s3/s3.object-store';
import { describeObjectStore } from '../../apps/mail/testing/object-store.conformance';
import { S3Server } from '../../tools/s3/s3-server';
import { describeWith, versitygwPath } from './provisioned';

const settingsOf = (server: S3Server) => ({
  S3_ENDPOINT: server.url,
  S3_REGION: 'us-east-1',
  S3_BUCKET: server.bucket,
  S3_KEY_PREFIX: 'of/mail/',
  S3_ACCESS_KEY_ID: server.accessKeyId,
  S3_SECRET_ACCESS_KEY: server.secretAccessKey,
  S3_PATH_STYLE: true,
  FILES_MAX_BYTES: 2 ** 30,
});

describeWith('versitygw')('S3', () => {
  describeObjectStore('versitygw', async () => {
    const server = await S3Server.started(versitygwPath);
    const settings = settingsOf(server);
    const s3 = new S3Client({
      endpoint: server.url,
      region: settings.S3_REGION,
      credentials: server,
      forcePathStyle: true,
    });
    const at = (id: string) => ({ Bucket: server.bucket, Prefix: `of/mail/${id}` });
    return {
      store: new S3ObjectStore(settings),
      another: () => new S3ObjectStore(settings),
      leftOf: async (id) => {
        const objects = await s3.send(new ListObjectsV2Command(at(id)));
        const uploads = await s3.send(new ListMultipartUploadsCommand(at(id)));
        return [...(objects.Contents ?? []), ...(uploads.Uploads ?? [])].map(({ Key }) => Key!);
      },
      close: async () => {
        s3.destroy();
        await server.remove();
      },
    };
  });
});
