import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { MailConfig } from '../mail.config';
import { AttachmentStore } from './attachment.store';
import { DiscardedObjectStore } from './discarded-object.store';
import { DownloadFile } from './download-file';
import { FileLimits } from './file-limits';
import { FileStreamsGrpcController } from './file-streams.grpc.controller';
import { FileSweepWorker } from './file-sweep.worker';
import { FileStore } from './file.store';
import { FilesGrpcController } from './files.grpc.controller';
import { InlineFiles } from './inline-files';
import { LocalObjectStore } from './local/local.object-store';
import { ObjectStore } from './object.store';
import { LocalStoreClaim } from './local/local-store.claim';
import { LocalStoreIdentity } from './local/local-store.identity';
import { checkStore, StoreIdentity } from './store-identity';
import { StoreRecordStore } from './store-record.store';
import { UploadFile } from './upload-file';
import { UploadStore } from './upload.store';
import { Uploads } from './uploads';

const IS_ALONE = 'FILES_ARE_OF_ONE_INSTANCE';

/** Files, and where their bytes are; refuses to start on a store that is not the database's own. */
@Module({})
export class FilesModule implements OnApplicationBootstrap, OnModuleDestroy {
  static forRoot(config: MailConfig): DynamicModule {
    const limits = new FileLimits(
      config.FILES_MAX_BYTES,
      config.FILES_MAX_BYTES_PER_TENANT,
      config.FILES_MAX_UPLOADS_PER_TENANT,
      config.FILES_UPLOAD_EXPIRY_SECONDS,
      config.GRPC_STREAM_IDLE_TIMEOUT * 1000,
    );
    return {
      module: FilesModule,
      // Mails are accepted and delivered with what is stored here.
      global: true,
      controllers: [FilesGrpcController, FileStreamsGrpcController],
      providers: [
        { provide: FileLimits, useValue: limits },
        { provide: ObjectStore, useFactory: () => objectStore(config) },
        { provide: StoreIdentity, useFactory: () => storeIdentity(config) },
        StoreRecordStore,
        LocalStoreClaim,
        { provide: IS_ALONE, useValue: config.FILES_STORE === 'local' && !config.FILES_SHARED },
        AttachmentStore,
        DiscardedObjectStore,
        FileStore,
        UploadStore,
        Uploads,
        UploadFile,
        DownloadFile,
        InlineFiles,
        FileSweepWorker,
      ],
      exports: [ObjectStore, FileStore, InlineFiles, UploadStore],
    };
  }

  constructor(
    private readonly identity: StoreIdentity,
    private readonly record: StoreRecordStore,
    private readonly claim: LocalStoreClaim,
    private readonly uploads: UploadStore,
    @Inject(IS_ALONE) private readonly isAlone: boolean,
  ) {}

  /** Once the schema is known to fit, and before anything is served. */
  async onApplicationBootstrap(): Promise<void> {
    if (this.isAlone) {
      await this.claim.take();
      await this.uploads.releaseAll();
    }
    await checkStore(this.identity, this.record);
  }

  async onModuleDestroy(): Promise<void> {
    await this.claim.release();
  }
}

/** The SDK is loaded where it is used only: it takes 20 MiB. */
async function objectStore(config: MailConfig): Promise<ObjectStore> {
  if (config.FILES_STORE === 'local') return new LocalObjectStore(config.FILES_DIR);
  const { S3ObjectStore } = await import('./s3/s3.object-store.js');
  return new S3ObjectStore(config);
}

async function storeIdentity(config: MailConfig): Promise<StoreIdentity> {
  if (config.FILES_STORE === 'local') return new LocalStoreIdentity(config.FILES_DIR);
  const { S3StoreIdentity } = await import('./s3/s3-store.identity.js');
  return new S3StoreIdentity(config);
}
