import { schemaDifference } from '@sky-genesis/database/schema-version';
import type { DatabaseSettings } from '@sky-genesis/database/database.settings';
import { mailDatabase } from '@sky-genesis/mail/database/mail-database';
import { searchDatabase } from '@sky-genesis/search/database/search-database';
import { Client, type DatabaseError } from 'pg';
import { clockFinding } from './clock';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, WAIT_MS } from './finding';
import { reach, UnreachableError } from './tcp.probe';

/** A database of an app: by which setting, and from which version of PostgreSQL on. */
interface Database {
  app: 'mail' | 'search';
  setting: string;
  version: number;
  settings: DatabaseSettings;
}

/** What each app has been run on: search's generated columns and functions are of 18. */
const VERSIONS = { mail: 18, search: 18 } as const;

export function checkMailDatabase(settings: DoctorSettings): Promise<Finding[]> {
  const { DATABASE_URL: url, DATABASE_POOL_SIZE = 4, GRPC_TIMEOUT = 30 } = settings;
  if (url === undefined) return Promise.resolve([]);
  const database = mailDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE, GRPC_TIMEOUT });
  return check({ app: 'mail', setting: 'DATABASE_URL', version: VERSIONS.mail, settings: database });
}

/** Nothing where Elasticsearch is used. */
export function checkSearchDatabase(settings: DoctorSettings): Promise<Finding[]> {
  const { SEARCH_DATABASE_URL: url, SEARCH_DATABASE_POOL_SIZE = 4, GRPC_TIMEOUT = 30, ELASTICSEARCH_URL } = settings;
  if (url === undefined || ELASTICSEARCH_URL !== undefined) return Promise.resolve([]);
  const database = searchDatabase({ SEARCH_DATABASE_URL: url, SEARCH_DATABASE_POOL_SIZE, GRPC_TIMEOUT });
  return check({ app: 'search', setting: 'SEARCH_DATABASE_URL', version: VERSIONS.search, settings: database });
}

async function check(database: Database): Promise<Finding[]> {
  const url = new URL(database.settings.url);
  const port = Number(url.port) || 5432;
  const what = `database of ${database.app}`;
  const where = `${url.hostname}:${port}${url.pathname}`;
  const client = new Client({
    connectionString: url.href,
    application_name: 'sge-doctor',
    connectionTimeoutMillis: WAIT_MS,
    query_timeout: WAIT_MS,
  });
  client.on('error', () => undefined);
  try {
    (await reach('PostgreSQL', { host: url.hostname, port, setting: database.setting })).destroy();
    await client.connect();
    return await lookAround(client, database, what, where);
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(what, error.message, error.todo)];
    return [refused(what, where, database.setting, error as DatabaseError)];
  } finally {
    void client.end().catch(() => undefined);
  }
}

async function lookAround(client: Client, { app, version, settings }: Database, what: string, where: string): Promise<Finding[]> {
  const from = Date.now();
  const { rows } = await client.query<{ version: string; now: string; table: string | null }>(
    `select current_setting('server_version') as version, extract(epoch from clock_timestamp()) * 1000 as now, to_regclass($1) as table`,
    [settings.migrationsTable],
  );
  const [{ version: found, now, table }] = rows as [(typeof rows)[0]];
  const clock = clockFinding(`the database of ${app}`, Number(now), { from, to: Date.now() });
  const applied =
    table === null ? [] : (await client.query<{ name: string }>(`select name from ${settings.migrationsTable} order by id`)).rows;
  const old = parseInt(found, 10) < version;
  const supported = old
    ? failure(what, `${where}: PostgreSQL ${found} is too old`, `Use PostgreSQL ${version} or later.`)
    : ok(what, `${where}, PostgreSQL ${found}`);
  return [
    supported,
    schema(
      app,
      settings,
      applied.map(({ name }) => name),
    ),
    clock,
  ];
}

function schema(app: string, { migrations }: DatabaseSettings, applied: string[]): Finding {
  const what = `schema of ${app}`;
  const { missing, unknown } = schemaDifference(
    applied,
    migrations.map((Migration) => new Migration().name),
  );
  if (unknown.length > 0) {
    return failure(
      what,
      `is newer than this program: it has ${unknown.join(', ')}`,
      `Run a newer version of ${app}: this one does not start on it.`,
    );
  }
  if (missing.length > 0) {
    return failure(
      what,
      `is older than this program: it lacks ${missing.join(', ')}`,
      `Run npm run migrate: ${app} does not start before.`,
    );
  }
  return ok(what, `as this version needs it, up to ${applied.at(-1)}`);
}

function refused(what: string, where: string, setting: string, { code, message }: DatabaseError): Finding {
  switch (code) {
    case '28P01':
      return failure(what, `${where} refuses user or password`, `Put right user and password in ${setting}, percent-encoded.`);
    case '28000':
      return failure(what, `${where} refuses the user: ${message}`, `Put right the user in ${setting}, or pg_hba.conf of the server.`);
    case '3D000':
      return failure(what, `${where}: there is no such database`, `Make it (createdb), or put right the name in ${setting}.`);
    case '53300':
      return failure(what, `${where} has no connections left`, 'Raise max_connections there, or lower DATABASE_POOL_SIZE of the apps.');
    case '57P03':
      return failure(what, `${where} does not take connections yet: ${message}`, 'It starts or recovers: wait, and look at its log.');
    default:
      return failure(what, `${where}: ${message}`, `Look at the log of PostgreSQL; ${setting} says which it is.`);
  }
}
