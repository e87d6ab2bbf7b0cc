import { type ElasticsearchClient, ElasticsearchRefusal } from './elasticsearch.client';
import type { ElasticsearchSettings } from './elasticsearch.settings';
import { indexTemplate, TEMPLATE_VERSION } from './index-template';

/** An index of ours as it is now. */
export interface KeptIndex {
  name: string;
  aliases: ReadonlySet<string>;
}

const MAKING_TRIES = 5;
/** A server that has just started takes seconds for its first template and index. */
const MAKING_MS = 30_000;

/** Waits for what others wait for, too, no longer than who asked has time. */
export type Within = <T>(shared: Promise<T>) => Promise<T>;
const unbounded: Within = (shared) => shared;

/** Sees to it that there is an index behind the aliases, also when it is lost while running. */
export class IndexKeeper {
  readonly readAlias: string;
  readonly writeAlias: string;
  /** On an index that is being filled to take the place of the present one; taking it away stops that. */
  readonly nextAlias: string;
  private ready = false;
  private preparing: Promise<void> | undefined;

  constructor(
    private readonly client: ElasticsearchClient,
    private readonly settings: ElasticsearchSettings,
  ) {
    this.readAlias = `${settings.indexPrefix}-read`;
    this.writeAlias = `${settings.indexPrefix}-write`;
    this.nextAlias = `${settings.indexPrefix}-next`;
  }

  /** Makes what is missing, once for all who wait for it; nothing where nothing is known to be missing. */
  async prepared(): Promise<void> {
    if (!this.ready) await this.prepare();
  }

  prepare(): Promise<void> {
    this.preparing ??= this.make().finally(() => (this.preparing = undefined));
    return this.preparing;
  }

  /** Does it, and once more after making the index anew where it turns out to be lost: its data folder was emptied. */
  async withIndex<T>(use: () => Promise<T>, within = unbounded): Promise<T> {
    await within(this.prepared());
    try {
      return await use();
    } catch (error) {
      if (!isIndexLost(error)) throw error;
      this.lost();
      await within(this.prepared());
      return use();
    }
  }

  lost(): void {
    this.ready = false;
  }

  /** All of ours, in use or not, out of one state of the cluster. */
  async indices(): Promise<KeptIndex[]> {
    const path = `/${this.settings.indexPrefix}-v*/_alias`;
    const found = await this.client.request<Record<string, { aliases: object }>>({
      method: 'GET',
      path,
      querystring: { expand_wildcards: 'open', allow_no_indices: true },
    });
    return Object.entries(found)
      .filter(([name]) => numberOf(name, this.settings.indexPrefix) !== undefined)
      .map(([name, { aliases }]) => ({ name, aliases: new Set(Object.keys(aliases)) }));
  }

  /** A name that none of these has. */
  nextName(indices: readonly KeptIndex[]): string {
    const taken = indices.map(({ name }) => numberOf(name, this.settings.indexPrefix) ?? 0);
    return `${this.settings.indexPrefix}-v${TEMPLATE_VERSION}-${String(Math.max(0, ...taken) + 1).padStart(6, '0')}`;
  }

  /** @returns false where another instance made it first */
  async create(name: string, aliases: readonly string[]): Promise<boolean> {
    const body = {
      aliases: Object.fromEntries(aliases.map((alias) => [alias, alias === this.writeAlias ? { is_write_index: true } : {}])),
    };
    try {
      await this.client.request({ method: 'PUT', path: `/${name}`, body }, { timeoutMs: MAKING_MS });
      return true;
    } catch (error) {
      if (error instanceof ElasticsearchRefusal && error.type === 'resource_already_exists_exception') return false;
      throw error;
    }
  }

  async putTemplate(): Promise<void> {
    const path = `/_index_template/${this.settings.indexPrefix}`;
    // An instance of an older version that starts during an update leaves the newer template alone.
    if ((await this.templateVersion(path)) > TEMPLATE_VERSION) return;
    await this.client.request({ method: 'PUT', path, body: indexTemplate(this.settings) }, { timeoutMs: MAKING_MS });
  }

  private async make(): Promise<void> {
    for (let attempt = 1; attempt <= MAKING_TRIES; attempt++) {
      const indices = await this.indices();
      const current = indices.find(({ aliases }) => aliases.has(this.writeAlias) && aliases.has(this.readAlias));
      if (current) {
        this.checkVersion(current.name);
        this.ready = true;
        return;
      }
      await this.putTemplate();
      // Who reads the same state chooses the same name, and Elasticsearch makes it, with both aliases, for one of them.
      await this.create(this.nextName(indices), [this.readAlias, this.writeAlias]);
    }
    throw new Error(`the aliases ${this.readAlias} and ${this.writeAlias} are not on one index`);
  }

  /** A newer one is taken as it is: fields are only added. */
  private checkVersion(name: string): void {
    const version = Number(/-v(\d+)-\d+$/.exec(name)?.[1]);
    if (version < TEMPLATE_VERSION) {
      throw new Error(`the index ${name} is of version ${version}, and ${TEMPLATE_VERSION} is needed: npm run search:reindex`);
    }
  }

  private async templateVersion(path: string): Promise<number> {
    try {
      const found = await this.client.request<{ index_templates: { index_template: { version?: number } }[] }>({ method: 'GET', path });
      return found.index_templates[0]?.index_template.version ?? 0;
    } catch (error) {
      if (error instanceof ElasticsearchRefusal && error.status === 404) return 0;
      throw error;
    }
  }
}

/** The running number in the name of an index of ours: another prefix may begin as this one does. */
function numberOf(name: string, prefix: string): number | undefined {
  const number = name.startsWith(`${prefix}-v`) ? /^\d+-(\d+)$/.exec(name.slice(prefix.length + 2))?.[1] : undefined;
  return number === undefined ? undefined : Number(number);
}

export const isIndexLost = (error: unknown): boolean =>
  error instanceof ElasticsearchRefusal && (error.type === 'index_not_found_exception' || error.type === 'aliases_not_found_exception');
