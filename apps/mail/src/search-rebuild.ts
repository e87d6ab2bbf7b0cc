import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ConfigError, readConfig } from '@sky-genesis/config';
import { DatabaseClient, dataSourceOptions } from '@sky-genesis/database';
import { Presets, SingleBar } from 'cli-progress';
import { DataSource } from 'typeorm';
import { mailDatabase } from './database/mail-database';
import { RebuildStore } from './events/search-feed/rebuild.store';
import { SearchFeedStore } from './events/search-feed/search-feed.store';
import { mailSettings } from './mail.config';

const settings = mailSettings.pick({ DATABASE_URL: true, DATABASE_POOL_SIZE: true, GRPC_TIMEOUT: true });
const POLL_MS = 1000;
/** Between two lines, where the output is no terminal. */
const LINE_MS = 5000;

/** Has all mails fed to search again, by whichever mail process feeds it, and shows how far that has come. */
async function rebuild(): Promise<void> {
  const { values } = parseArgs({ options: { 'no-wait': { type: 'boolean', default: false } } });
  const dataSource = await new DataSource(dataSourceOptions(mailDatabase(readConfig(settings, process.env)))).initialize();
  try {
    const database = new DatabaseClient(dataSource);
    const number = await new SearchFeedStore(database).rebuild();
    console.log(`rebuild ${number} is asked for: all mails are read again, while mail and search go on`);
    if (!values['no-wait']) await show(new RebuildStore(database), number);
  } finally {
    await dataSource.destroy();
  }
}

async function show(store: RebuildStore, number: number): Promise<void> {
  const format = '[{bar}] {percentage}% | {value} of about {total} mails | {tenants} tenants left{note}';
  const bar = new SingleBar({ format, stream: process.stdout, noTTYOutput: true, notTTYSchedule: LINE_MS }, Presets.shades_classic);
  let progress = await store.progress(number);
  bar.start(Math.max(progress.emails, 1), progress.walked, { tenants: progress.tenantsLeft, note: '' });
  while (!progress.isDone) {
    await sleep(POLL_MS);
    progress = await store.progress(number);
    bar.setTotal(Math.max(progress.emails, 1));
    bar.update(progress.walked, { tenants: progress.tenantsLeft, note: progress.isFed ? '' : ' | no mail process feeds search' });
  }
  bar.setTotal(Math.max(progress.walked, 1));
  bar.update(Math.max(progress.walked, 1), { tenants: 0, note: '' });
  bar.stop();
  console.log(`done: ${progress.walked} mails can be found`);
}

rebuild().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
