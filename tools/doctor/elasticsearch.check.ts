import { clockFinding } from './clock';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { type HttpAnswer, httpAnswer, tlsFault } from './http.probe';
import { reach, UnreachableError } from './tcp.probe';

/** As the setting's description has it: 8.19 or 9. */
const isSupported = (version: string): boolean => /^(8\.(19|[2-9]\d)|9)(\.|$)/.test(version);

/** Whether Elasticsearch answers, lets us in, is of a version that search knows, and has its shards; nothing without ELASTICSEARCH_URL. */
export async function checkElasticsearch(settings: DoctorSettings): Promise<Finding[]> {
  if (settings.ELASTICSEARCH_URL === undefined) return [];
  const url = new URL(settings.ELASTICSEARCH_URL);
  const what = `Elasticsearch ${url.host}`;
  const ask = (path: string) => httpAnswer(new URL(path, url), { headers: authorization(settings), ca: settings.ELASTICSEARCH_CA });
  try {
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    (await reach('Elasticsearch', { host: url.hostname, port, setting: 'ELASTICSEARCH_URL' })).destroy();
    const root = await ask('/');
    if (root.status !== 200) return [refused(what, root.status)];
    const health = await ask('/_cluster/health');
    return [...versionOf(what, root), ...statusOf(what, health), ...clockOf(root)];
  } catch (error) {
    if (error instanceof UnreachableError) return [failure(what, error.message, error.todo)];
    const { found, todo } = tlsFault(error as Error, 'ELASTICSEARCH_CA') ?? {
      found: (error as Error).message,
      todo: 'Put right http or https in ELASTICSEARCH_URL, or look at its log.',
    };
    return [failure(what, found, todo)];
  }
}

function authorization(settings: DoctorSettings): Record<string, string> {
  if (settings.ELASTICSEARCH_API_KEY !== undefined) return { authorization: `ApiKey ${settings.ELASTICSEARCH_API_KEY}` };
  if (settings.ELASTICSEARCH_USERNAME === undefined) return {};
  const pair = `${settings.ELASTICSEARCH_USERNAME}:${settings.ELASTICSEARCH_PASSWORD ?? ''}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

function refused(what: string, status: number): Finding {
  if (status === 401) {
    return failure(
      what,
      'refuses who asks (401)',
      'Put right ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD.',
    );
  }
  if (status === 403) return failure(what, 'forbids it (403)', 'Give the key or user the rights that docs/search.md names.');
  return failure(what, `answers ${status}`, 'Is that Elasticsearch? Put ELASTICSEARCH_URL right, or look at its log.');
}

function versionOf(what: string, { text }: HttpAnswer): Finding[] {
  const version = /"number"\s*:\s*"([^"]+)"/.exec(text)?.[1] ?? '';
  if (version === '') return [failure(what, 'answers, and is no Elasticsearch', 'Put ELASTICSEARCH_URL right.')];
  if (isSupported(version)) return [ok(what, `version ${version}`)];
  return [failure(what, `version ${version} is not supported`, 'Use Elasticsearch 8.19 or 9.')];
}

/** A single node is yellow where an index asks for copies: that is told, and harms nothing. */
function statusOf(what: string, { status, text }: HttpAnswer): Finding[] {
  const state = /"status"\s*:\s*"(green|yellow|red)"/.exec(text)?.[1];
  if (state === 'green' || state === 'yellow') return [ok(what, `status ${state}`)];
  if (state === 'red') {
    return [
      failure(
        what,
        'status red: shards are missing',
        'Look at GET /_cluster/allocation/explain; npm run search:rebuild fills an index that is lost.',
      ),
    ];
  }
  return [warning(what, `does not tell its status (${status})`, 'Give the key or user the cluster privilege `monitor`.')];
}

const clockOf = ({ date, asked }: HttpAnswer): Finding[] => (date === undefined ? [] : [clockFinding('Elasticsearch', date, asked, 1000)]);
