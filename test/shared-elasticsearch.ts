import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ElasticsearchContainer } from '@testcontainers/elasticsearch';
import { ELASTICSEARCH_START_MS, START_ELASTICSEARCH } from '../tools/elasticsearch/elasticsearch-server';

const FOLDER = join(process.env['PROVISION_DIR'] ?? resolve(__dirname, '../.provision'), 'elasticsearch');
const CONTAINER_FILE = join(FOLDER, 'container.url');
const IMAGE = 'docker.elastic.co/elasticsearch/elasticsearch:9.4.3';
const run = promisify(execFile);

/**
 * The URL of the one Elasticsearch that all suites of a run share: the one that ELASTICSEARCH_URL names, else one in a
 * container where an engine has the image, else the provisioned one. tools/provision/stop ends it.
 */
export async function sharedElasticsearch(): Promise<string> {
  return process.env['ELASTICSEARCH_URL'] || (await inContainer()) || provisioned();
}

/** Started by the first who asks; the script sees to it that there is only one. */
async function provisioned(): Promise<string> {
  const { stdout } = await run(START_ELASTICSEARCH, [join(FOLDER, 'run'), '0'], { timeout: ELASTICSEARCH_START_MS });
  return stdout.trim();
}

/** Only with an image that is there: where it is not, the provisioned server is as good and faster to be had. */
async function inContainer(): Promise<string | undefined> {
  const known = existsSync(CONTAINER_FILE) ? readFileSync(CONTAINER_FILE, 'utf8') : undefined;
  if (known !== undefined && (await answers(known))) return known;
  const has = await run('docker', ['image', 'inspect', IMAGE], { timeout: 10_000 }).then(
    () => true,
    () => false,
  );
  if (!has) return undefined;
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const container = await new ElasticsearchContainer(IMAGE)
    .withEnvironment({ 'xpack.security.enabled': 'false', ES_JAVA_OPTS: '-Xms512m -Xmx512m' })
    .start();
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(CONTAINER_FILE, container.getHttpUrl());
  return container.getHttpUrl();
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    ({ ok }) => ok,
    () => false,
  );
