import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessName } from '../../tools/stack/stack-file';
import { GrpcEntrance } from './grpc.entrance';
import { untilNoneLeft } from './moving';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { SearchEntrance } from './search.entrance';
import { findingsOf, type SearchOutcome } from './search.findings';
import { inventory } from './search.inventory';
import { SearchOutages, type Victim } from './search.outages';
import { SearchSends, type SendingTenant } from './search.sends';
import { type SeenAnswer, SearchWatch } from './search.watch';
import { type Elasticsearch, ElasticsearchServer } from './stack-parts';
import { tenantToken } from './tenant-token';

const TENANTS = ['acme', 'globex', 'initech'] as const;
const SEARCHERS_OF_TENANT = 2;
/** With 32 senders some 25 mails a second: a few minutes, in which each part is killed several times. */
const PAUSE_MS = { min: 800, max: 1600 };
const PATIENCE_MS = 90_000;
/** Longer than a start of Elasticsearch on a busy machine, and than the longest wait of the stack before a restart. */
const BACK_WITHIN_MS = 180_000;
/** How long Elasticsearch is not started again. */
const AWAY_MS = { min: 500, max: 8000 };
const SEARCH_TIMEOUT_S = 5;
const ELASTICSEARCH_HEAP = '512m';

/** A part that is killed every few seconds is no part that cannot be kept running; what was put off is tried again soon. */
const SETTINGS = { SGE_STEADY_SECONDS: '1', MAIL_RETRY_BASE_SECONDS: '1', MAIL_RETRY_MAX_SECONDS: '5' };

const engines = ['elasticsearch', 'postgres'] as const;
type Engine = (typeof engines)[number];

export const search: Round = {
  title: 'search, mail and the engine killed with -9, in turn, while mails are sent and searched for',
  does:
    'The stack of `npm start`, with an Elasticsearch of its own (or the embedded PostgreSQL: --set ENGINE=postgres). Mails of three tenants, half by REST and half by ' +
    'gRPC by chance, each with words of its own and an idempotency key, asked again until acknowledged. Meanwhile search, mail and the engine are killed with SIGKILL ' +
    'one after the other, in an order and at distances of chance; the stack starts its parts again, Elasticsearch is started again after some seconds. All the time ' +
    'searchers of each tenant ask by id (50 mails at a time: those not found yet, the newest, and old ones), by a word of the subject or of the body, and by ' +
    '`subject:`, and judge each answer at once: a complete one must have every mail that was acknowledged before its `indexed_through_ms`. In the end everything is ' +
    'read page by page and compared with what was acknowledged.',
  count: { of: 'mails', default: 5000, max: 100_000 },
  concurrency: { of: 'senders', default: 32, max: 256 },
  run,
};

async function run(context: RoundContext): Promise<Findings> {
  const { started, random, say } = context;
  const { ENGINE = 'elasticsearch', ...settings } = context.settings;
  if (!isEngine(ENGINE)) throw new Error(`ENGINE is one of ${engines.join(', ')}`);
  const elasticsearch = ENGINE === 'elasticsearch' ? await ownElasticsearch(context) : undefined;
  const engine = elasticsearch && { ELASTICSEARCH_URL: elasticsearch.url };
  const stack = await ProofStack.start(started, { ...SETTINGS, ...engine, ...settings });

  const sends = new SearchSends(context, sendingTenants(stack, context), PAUSE_MS);
  const victims = [partOf(stack, 'search'), partOf(stack, 'mail')];
  victims.push(elasticsearch ? killable(elasticsearch, context) : partOf(stack, 'postgres'));
  const outages = new SearchOutages(victims, random.branch(-2));
  const answers: SeenAnswer[] = [];
  const watches = watchesOf(stack, sends, context, (answer) => {
    answers.push(answer);
    if (answer.verdict === 'lie' || answer.verdict === 'wrong') say(`${answer.verdict}: ${JSON.stringify(answer)}`);
  });
  context.progress(() => {
    const lies = answers.filter(({ verdict }) => verdict === 'lie').length;
    return `${sends.size} acknowledged, ${answers.length} answers, ${outages.outages.length} kills, ${lies} lies`;
  });

  const watching = Promise.all(watches.map((watch) => watch.begin()));
  const killing = outages.begin();
  await sends.all();
  say('all acknowledged; waiting until all is back, delivered and found');
  outages.end();
  await killing;
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const drained = await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  const caughtUp = await untilIndexed(Date.now(), stack, sends.lastAt);
  watches.forEach((watch) => watch.end());
  await watching;
  return findingsOf({
    settings: [...(await database.settings()), ['engine', ENGINE]],
    acknowledged: sends.size,
    sendRefusals: sends.refusals,
    answers,
    findableMs: watches.flatMap(({ findableMs }) => findableMs),
    outages,
    victims: victims.map(({ name }) => name),
    drained,
    caughtUp,
    inventories: caughtUp ? await inventoriesOf(stack, sends, context) : [],
  });
}

async function ownElasticsearch({ started }: RoundContext): Promise<Elasticsearch> {
  const server = await ElasticsearchServer.started(ELASTICSEARCH_HEAP);
  started.onEnd(() => server.remove());
  return server;
}

const isEngine = (name: string): name is Engine => (engines as readonly string[]).includes(name);

function sendingTenants(stack: ProofStack, { concurrency, started }: RoundContext): SendingTenant[] {
  const { urls, ports } = stack.description;
  return TENANTS.map((name) => {
    const token = tenantToken(stack, name);
    const rest = new RestEntrance(urls.gateway, token, concurrency, started);
    return { name, entrances: [rest, new GrpcEntrance(`127.0.0.1:${ports.mail_grpc}`, token, 'field', started)] };
  });
}

const searchOf = (stack: ProofStack, tenant: string): SearchEntrance =>
  new SearchEntrance(stack.description.urls.gateway, tenantToken(stack, tenant), SEARCH_TIMEOUT_S);

function watchesOf(stack: ProofStack, sends: SearchSends, { random }: RoundContext, tell: (answer: SeenAnswer) => void): SearchWatch[] {
  return TENANTS.flatMap((tenant, i) =>
    Array.from({ length: SEARCHERS_OF_TENANT }, (_, n) => {
      const chance = random.branch(-10 - i * SEARCHERS_OF_TENANT - n);
      return new SearchWatch(tenant, searchOf(stack, tenant), sends.acknowledged.get(tenant) ?? [], chance, tell);
    }),
  );
}

/** A part that the stack starts again. */
function partOf(stack: ProofStack, name: ProcessName): Victim {
  const kill = async (): Promise<void> => {
    const pid = stack.kill(name);
    const isBack = await untilNoneLeft(() => (stack.pid(name) === pid ? 1 : 0), BACK_WITHIN_MS);
    if (!isBack) throw new Error(`${name} was not started again within ${BACK_WITHIN_MS / 1000} s`);
  };
  return { name, kill };
}

function killable(server: Elasticsearch, { random }: RoundContext): Victim {
  const chance = random.branch(-3);
  const kill = async (): Promise<void> => {
    await server.kill();
    await sleep(chance.integer(AWAY_MS.min, AWAY_MS.max));
    await server.start();
  };
  return { name: 'elasticsearch', kill };
}

/** Waits until search claims everything up to the last acknowledgement and up to this moment. */
async function untilIndexed(now: number, stack: ProofStack, lastAt: number): Promise<boolean> {
  const entrance = searchOf(stack, TENANTS[0]);
  const left = async (): Promise<number> => {
    const reply = await entrance.ask({ limit: 1 });
    return reply.kind === 'page' && !reply.page.degraded && reply.page.indexed_through_ms > Math.max(now, lastAt) ? 0 : 1;
  };
  return untilNoneLeft(left, PATIENCE_MS);
}

async function inventoriesOf(
  stack: ProofStack,
  sends: SearchSends,
  { started }: RoundContext,
): Promise<SearchOutcome['inventories'][number][]> {
  const all: SearchOutcome['inventories'][number][] = [];
  for (const tenant of TENANTS) {
    const acknowledged = sends.acknowledged.get(tenant) ?? [];
    const mail = new RestEntrance(stack.description.urls.gateway, tenantToken(stack, tenant), 16, started);
    for (const sort of ['relevance', 'newest']) {
      const seen = await inventory(searchOf(stack, tenant), { kind: 'email', sort }, acknowledged, mail);
      all.push({ tenant, order: sort, acknowledged: acknowledged.length, inventory: seen });
    }
  }
  return all;
}
