import { setTimeout as sleep } from 'node:timers/promises';
import { lossesOf, STORED_MAILS, type StoredMail } from '#mesh/mesh-state';
import { MeshSystem } from '#mesh/mesh-system';
import { MixedLoad } from '#mesh/mixed.load';
import { type Restart, rollOut } from '#mesh/rollout';
import { PostgresServer } from '#tools/stack/postgres-server';
import { Client } from 'pg';
import { untilNoneLeft } from './moving';
import type { Cell, Findings, Invariant, Round, RoundContext } from './round';

const PATIENCE_MS = 120_000;
const ETCD_AWAY_MS = 60_000;
/** Registered anew within a lease, and a moment for it to be seen. */
const RETURN_MS = 15_000;
const OUTAGES = ['stopped for 60 s', 'wiped', 'compacted and restarted'] as const;

export const rollout: Round = {
  title: 'every instance replaced under load, and etcd away',
  does:
    'Three instances of mail, two of search and two gateways, found by etcd, behind a real edge. Calls of every kind go through the edge on both wires at a steady rate, with streams of mails, ' +
    'events and files beside them; a client tries again what it may. Then each instance is ended by SIGTERM and started anew, one after the other, as often as was asked for; and last etcd is ' +
    'killed for a minute, wiped, and compacted and restarted.',
  count: { of: 'rollouts', default: 5, max: 100 },
  concurrency: { of: 'calls a second', default: 300, max: 2000 },
  run,
};

async function run({ count, concurrency, settings, started, say, progress }: RoundContext): Promise<Findings> {
  const postgres = await PostgresServer.started({ max_connections: '300' });
  started.onEnd(() => postgres.remove());
  const databases = { mail: await createDatabase(postgres, 'mail'), search: await createDatabase(postgres, 'search') };
  const system = await MeshSystem.start({ databases, edge: true, settings });
  started.onEnd(() => system.stop());
  const load = new MixedLoad(system, concurrency);
  progress(() => `${load.counts.calls} calls, ${load.counts.failures.length} failed, ${load.counts.retriedCalls} tried again`);
  load.start();
  await sleep(3000);
  const restarts: Restart[] = [];
  const rows: Cell[][] = [];
  const measured = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const { calls, retriedCalls, failures } = load.counts;
    const [before, mails, failed] = [{ calls, retriedCalls }, load.accepted.size, failures.length];
    const began = performance.now();
    await work();
    const row = [
      what,
      Math.round((performance.now() - began) / 1000),
      load.counts.calls - before.calls,
      load.counts.failures.length - failed,
      load.counts.retriedCalls - before.retriedCalls,
      load.accepted.size - mails,
    ];
    rows.push(row);
    say(row.join(', '));
  };
  for (let n = 1; n <= count; n++) await measured(`rollout ${n}`, async () => restarts.push(...(await rollOut(system))));
  for (const outage of OUTAGES) await measured(`etcd ${outage}`, () => harmEtcd(system, outage));
  const registered = Object.keys(await system.etcd.stored('/services/')).length;
  await load.stop();

  const database = new Client({ connectionString: databases.mail });
  await database.connect();
  const stored = (await database.query<StoredMail>(STORED_MAILS)).rows;
  await database.end();
  await untilNoneLeft(() => stored.length - system.relay.mails.length, PATIENCE_MS);
  const losses = lossesOf(load, system, stored);
  for (const failure of load.counts.failures.slice(0, 20)) say(failure);
  return {
    settings: [
      ['instances', '3 mail, 2 search, 2 gateways, an edge, etcd'],
      ['DRAIN_NOTICE_SECONDS, DRAIN_SECONDS', '2, 10'],
    ],
    figures: figuresOf(load, restarts, stored.length),
    tables: [
      { title: 'What was done', columns: ['what', 's', 'calls', 'failed', 'tried again', 'mails accepted'], rows },
      {
        title: 'Why calls were tried again',
        columns: ['call and answer', 'times'],
        rows: [...load.counts.retriedFor].sort(([, a], [, b]) => b - a).map(([why, times]) => [why, times]),
      },
    ],
    invariants: [
      holds(load.counts.failures.length, `of ${load.counts.calls} calls failed`),
      holds(losses.notStoredOnce.length, `of ${load.accepted.size} accepted mails are lost or stored twice`),
      holds(losses.notDeliveredOnce.length, 'of them were not delivered, or twice'),
      holds(losses.gaps.length, 'streams of events have a gap or a double'),
      holds(
        restarts.filter(({ exitCode }) => exitCode !== 0).length,
        `of ${restarts.length} processes that were ended by SIGTERM did not exit with 0`,
      ),
      { holds: registered === 5, text: `all 5 services are registered in etcd again at the end (${registered})` },
    ],
    notes: [
      'A call counts as tried again where its client met UNAVAILABLE, 425, 429, 502, 503, 504 or a broken connection, and asked once more as it may: reads, and mails with a key.',
      'A stream that was told SERVER_DRAINING, or broke, and went on from its cursor, offset or key counts as tried again.',
      'Everything, the load too, shares the two cores of the machine.',
    ],
  };
}

async function harmEtcd({ etcd }: MeshSystem, outage: (typeof OUTAGES)[number]): Promise<void> {
  if (outage === 'wiped') await etcd.wipe();
  else if (outage === 'compacted and restarted') {
    await etcd.kill();
    await etcd.start();
    await etcd.compact();
  } else {
    await etcd.kill();
    await sleep(ETCD_AWAY_MS);
    await etcd.start();
  }
  await sleep(RETURN_MS);
}

async function createDatabase({ url }: PostgresServer, name: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return url.replace(/\/postgres$/, `/${name}`);
}

const holds = (count: number, what: string): Invariant => ({ holds: count === 0, text: `${count} ${what}` });

function figuresOf(
  { counts, accepted, mailStreams, fileStreams }: MixedLoad,
  restarts: readonly Restart[],
  stored: number,
): [string, Cell][] {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return [
    ['calls', counts.calls],
    ['calls that were tried again', counts.retriedCalls],
    ['mails accepted; stored', `${accepted.size}; ${stored}`],
    ['events heard over gRPC; REST', `${mailStreams.watched.length}; ${mailStreams.told.length}`],
    ['files up; down', `${fileStreams.uploads}; ${fileStreams.downloads}`],
    ['restarts', restarts.length],
    [
      'SIGTERM to exit, median; longest, in ms',
      `${median(restarts.map(({ drainMs }) => drainMs))}; ${Math.max(...restarts.map(({ drainMs }) => drainMs))}`,
    ],
  ];
}
