import 'reflect-metadata';
import { SchemaMismatchError } from '@sky-genesis/database';
import { runService } from '@sky-genesis/service';
import { OtherInstanceError } from './files/local/local-store.claim';
import { OtherStoreError } from './files/store-identity';
import { readMailConfig } from './mail.config';
import { startMail } from './start-mail';

runService(() => startMail(readMailConfig(process.env)), [SchemaMismatchError, OtherStoreError, OtherInstanceError]);
