import { checkCertificates, tlsFilesOf } from './certificates.check';
import { checkMailDatabase, checkSearchDatabase } from './database.check';
import { checkEdge } from './edge.check';
import { checkElasticsearch } from './elasticsearch.check';
import { checkEtcd } from './etcd.check';
import { failure, type Finding } from './finding';
import { checkGateway } from './gateway.check';
import { checkMessageSize, checkTimeouts } from './limits.check';
import { checkRelays } from './relay.check';
import { checkService } from './service.check';
import { services } from './service.instances';
import { type App, type SetUp } from './set-up';
import { checkSettings } from './settings.check';
import { checkStack } from './stack.check';

/** Of one check: shorter than the whole run may take. */
const CHECK_MS = 9000;

type Check = () => Finding[] | Promise<Finding[]>;

/** All findings, in the order of this list; the checks run at the same time, and each is over within `CHECK_MS`. */
export async function diagnose(setUp: SetUp, apps: readonly App[], checkMs = CHECK_MS): Promise<Finding[]> {
  const findings = await Promise.all(checksOf(setUp, apps).map(([what, check]) => bounded(what, check, checkMs)));
  return findings.flat();
}

function checksOf({ stack, environments, settings }: SetUp, apps: readonly App[]): [what: string, check: Check][] {
  const tls = tlsFilesOf(settings);
  // The one that it is, and those that it calls.
  const called = services.filter(({ program }) => apps.some((app) => app === 'gateway' || app === program));
  const of = (app: App, ...checks: [string, Check][]) => (apps.includes(app) ? checks : []);
  return [
    ...(stack ? ([['processes', () => checkStack(stack)]] as [string, Check][]) : []),
    ...apps.map((app): [string, Check] => [`settings of ${app}`, () => checkSettings(app, environments[app])]),
    ['certificates', () => checkCertificates(settings)],
    ['etcd', () => checkEtcd(settings)],
    ...of('gateway', ['edge', () => checkEdge(settings)], ['gateway', () => checkGateway(settings)]),
    ...called.map((service): [string, Check] => [service.program, () => checkService(service, settings, tls)]),
    ...of('mail', ['database of mail', () => checkMailDatabase(settings)]),
    ...of('search', ['database of search', () => checkSearchDatabase(settings)], ['Elasticsearch', () => checkElasticsearch(settings)]),
    ...of('mail', ['relay', () => checkRelays(settings)]),
    ['message size', () => checkMessageSize(called, settings, tls)],
    ...of('gateway', ['timeouts', () => checkTimeouts(settings)]),
  ];
}

async function bounded(what: string, check: Check, withinMs: number): Promise<Finding[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding[]>((resolve) => {
    const todo = 'What is asked answers bit by bit: look at its log.';
    timer = setTimeout(() => resolve([failure(what, `not known after ${withinMs / 1000} s`, todo)]), withinMs);
  });
  try {
    return await Promise.race([check(), late]);
  } catch (error) {
    return [failure(what, `the check itself failed: ${(error as Error).message}`, 'This is a defect of npm run doctor: please report it.')];
  } finally {
    clearTimeout(timer);
  }
}
