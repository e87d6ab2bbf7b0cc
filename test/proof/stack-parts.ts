import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type * as elasticsearchServer from '../../tools/elasticsearch/elasticsearch-server';
import type * as s3Server from '../../tools/s3/s3-server';
import type * as embeddedPostgres from '../../tools/stack/embedded-postgres';
import type * as logFile from '../../tools/stack/log-file';
import type * as loopbackPorts from '../../tools/stack/loopback-ports';
import type * as programs from '../../tools/stack/programs';
import type * as runningProcess from '../../tools/stack/running-process';
import type * as secrets from '../../tools/stack/secrets';
import type * as supervisedProcess from '../../tools/stack/supervised-process';

/** As seen from test/proof/dist. */
export const ROOT = resolve(__dirname, '../../..');

const load = createRequire(__filename);
const part = <Part>(name: string): Part => load(join(ROOT, 'tools/dist', name)) as Part;

// Parts of the stack as it is built: it is no package, and not compiled together with the rounds.
export const { EmbeddedPostgres } = part<typeof embeddedPostgres>('stack/embedded-postgres');
export const { LogFile } = part<typeof logFile>('stack/log-file');
export const { findPorts } = part<typeof loopbackPorts>('stack/loopback-ports');
export const { builtPrograms, gatewayProgram, mailProgram, migrateProgram, sinkProgram } = part<typeof programs>('stack/programs');
export const { RunningProcess } = part<typeof runningProcess>('stack/running-process');
export const { makeSecrets } = part<typeof secrets>('stack/secrets');
export const { restartLimits, SupervisedProcess } = part<typeof supervisedProcess>('stack/supervised-process');
export const { ElasticsearchServer } = part<typeof elasticsearchServer>('elasticsearch/elasticsearch-server');
export type Elasticsearch = elasticsearchServer.ElasticsearchServer;
export const { S3Server } = part<typeof s3Server>('s3/s3-server');
export type S3 = s3Server.S3Server;
