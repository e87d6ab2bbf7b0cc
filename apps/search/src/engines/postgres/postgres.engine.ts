import { type DatabaseClient, OutcomeUnknownError, type Statement } from '@sky-genesis/database';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { QueryResultRow } from 'pg';
import { positiveTexts } from '../../text/positive-texts';
import { TextMatches } from '../../text/text-matches';
import {
  type Answer,
  type ChangeOutcome,
  type DocumentChange,
  EngineUnavailableError,
  type Kind,
  PositionLostError,
  SearchEngine,
  type SearchQuestion,
  type SourceCheckpoint,
} from '../search.engine';
import { DocumentWriter } from './document-writer.store';
import { forgetStatement } from './documents.statement';
import { type HitRow, highlightsOf, toHit } from './hits.mapper';
import { storable } from './lexemes';
import { type Position, readPosition } from './position';
import { facetStatement, isRanked, MAX_TOTAL, pageStatement, totalStatement } from './search.statement';
import { TimedReads } from './timed-reads.client';

interface FacetRow {
  facet: number;
  value: string;
  count: number;
}

/** Of each hit, for its highlights. */
const HIGHLIGHTED_CHARACTERS = 100_000;
/** Hits of a page whose whole content is looked through, where its first part shows nothing. */
const WHOLE_CONTENTS = 4;
const FORGOTTEN_AT_ONCE = 10_000;

/** Full text search in PostgreSQL alone. What is committed can be found. */
export class PostgresEngine extends SearchEngine {
  readonly name = 'postgres';
  private readonly writer: DocumentWriter;
  /** Statements of the pool end then; 0: never. */
  private statementMs = 0;

  constructor(private readonly database: DatabaseClient) {
    super();
    this.writer = new DocumentWriter(database);
  }

  /** Tables and indexes are made by migrations, beforehand. */
  async prepare(): Promise<void> {
    const [row] = await this.read<{ ms: number }>({ text: STATEMENT_TIMEOUT, values: [] });
    this.statementMs = row?.ms ?? 0;
  }

  async ping(): Promise<void> {
    await this.read({ name: 'search-ping', text: 'select', values: [] });
  }

  async search(given: SearchQuestion): Promise<Answer> {
    const question = { ...given, tenant: storable(given.tenant), facets: given.facets.map(storable) };
    const after = question.after === undefined ? undefined : readPosition(question.after);
    if (question.after !== undefined && !after) throw new PositionLostError();
    const reads = new TimedReads(this.database, question.signal, question.timeoutMs);
    const begin = performance.now();
    try {
      const [page, facets] = await Promise.all([this.page(question, after, reads), this.facets(question, reads)]);
      return { ...page, facets };
    } catch (error) {
      throw this.failure(error, performance.now() - begin);
    } finally {
      reads.close();
    }
  }

  async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    try {
      return await this.writer.write(changes);
    } catch (error) {
      throw unavailable(error);
    }
  }

  async publish(): Promise<void> {}

  async findable(tenant: string, kinds: readonly Kind[], ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const rows = await this.read<{ id: string }>({ name: 'search-findable', text: FINDABLE, values: [tenant, kinds, ids] });
    return new Set(rows.map(({ id }) => id));
  }

  async saveCheckpoint({ source, checkpoint, throughMs }: SourceCheckpoint): Promise<void> {
    await this.read({ name: 'search-save-checkpoint', text: SAVE_CHECKPOINT, values: [storable(source), storable(checkpoint), throughMs] });
  }

  checkpoints(): Promise<SourceCheckpoint[]> {
    return this.read<SourceCheckpoint>({ name: 'search-checkpoints', text: CHECKPOINTS, values: [] });
  }

  async forgetDeletions(days: number): Promise<number> {
    for (let forgotten = 0; ;) {
      const statement = forgetStatement(days, FORGOTTEN_AT_ONCE);
      const { rowCount } = await this.database.run(statement).catch((error: unknown) => {
        throw unavailable(error);
      });
      forgotten += rowCount ?? 0;
      if ((rowCount ?? 0) < FORGOTTEN_AT_ONCE) return forgotten;
    }
  }

  /** The connections belong to who made them. */
  async close(): Promise<void> {}

  private async page(question: SearchQuestion, after: Position | undefined, reads: TimedReads): Promise<Omit<Answer, 'facets'>> {
    const found = await reads.read<HitRow>(pageStatement(question, after));
    const rows = found.slice(0, question.limit);
    const more = found.length > rows.length;
    const [counted, highlights] = await Promise.all([
      this.total(question, rows.length, more, reads),
      this.highlights(question, rows, reads),
    ]);
    const ranked = isRanked(question);
    return {
      hits: rows.map((row, i) => toHit(row, highlights[i] ?? [], ranked, after?.snapshot ?? row.snapshot)),
      more,
      total: Math.min(counted, MAX_TOTAL),
      totalIsLowerBound: counted > MAX_TOTAL,
    };
  }

  /** Counted only where the page does not show it; never less than is seen, though more is deleted meanwhile. */
  private async total(question: SearchQuestion, seen: number, more: boolean, reads: TimedReads): Promise<number> {
    const { offset, after } = question;
    if (after === undefined && !more && (seen > 0 || offset === 0)) return offset + seen;
    const [row] = await reads.read<{ total: number }>(totalStatement(question));
    return Math.max(row?.total ?? 0, (seen > 0 ? offset : 0) + seen + (more ? 1 : 0));
  }

  private async facets(question: SearchQuestion, reads: TimedReads): Promise<Answer['facets']> {
    if (question.facets.length === 0) return [];
    const rows = await reads.read<FacetRow>(facetStatement(question));
    return question.facets.map((field, i) => ({
      field,
      values: rows.filter(({ facet }) => facet === i).map(({ value, count }) => ({ value, count })),
    }));
  }

  /** Of each row, in order. */
  private async highlights({ tenant, where }: SearchQuestion, rows: readonly HitRow[], reads: TimedReads): Promise<string[][]> {
    const matches = new TextMatches(positiveTexts(where));
    if (matches.isEmpty || rows.length === 0) return rows.map(() => []);
    if (!matches.concerns('content')) return rows.map((row) => highlightsOf(row, '', matches));
    const contents = async (of: readonly HitRow[], length: number) => {
      const values = [tenant, of.map(({ id }) => id), length];
      return new Map(
        (await reads.read<{ id: string; content: string }>({ text: CONTENTS, values })).map(({ id, content }) => [id, content]),
      );
    };
    const beginnings = await contents(rows, HIGHLIGHTED_CHARACTERS);
    const highlights = rows.map((row) => highlightsOf(row, beginnings.get(row.id) ?? '', matches));
    const shownNothing = (row: HitRow, i: number) =>
      highlights[i]?.length === 0 && (beginnings.get(row.id)?.length ?? 0) >= HIGHLIGHTED_CHARACTERS;
    const unseen = rows.filter(shownNothing).slice(0, WHOLE_CONTENTS);
    if (unseen.length === 0) return highlights;
    const wholes = await contents(unseen, 2 ** 31 - 1);
    return rows.map((row, i) => (unseen.includes(row) ? highlightsOf(row, wholes.get(row.id) ?? '', matches) : (highlights[i] ?? [])));
  }

  private async read<Row extends QueryResultRow>(statement: Statement): Promise<Row[]> {
    try {
      return await this.database.read<Row>(statement);
    } catch (error) {
      throw unavailable(error);
    }
  }

  /** A search that the database gave up is too much for it, not a sign that it is away. */
  private failure(error: unknown, afterMs: number): unknown {
    const given = unavailable(error);
    const tookTooLong = given instanceof EngineUnavailableError && this.statementMs > 0 && afterMs >= this.statementMs;
    return tookTooLong ? new RuleError('DEADLINE_EXCEEDED') : given;
  }
}

function unavailable(error: unknown): unknown {
  const away = error instanceof OutcomeUnknownError || (error instanceof RuleError && error.reason === 'DATABASE_UNAVAILABLE');
  return away ? new EngineUnavailableError({ cause: error }) : error;
}

const STATEMENT_TIMEOUT = `select setting::int as ms from pg_settings where name = 'statement_timeout'`;
const FINDABLE = `select id from document where tenant = $1 and id = any($3::text[]) and kind = any($2::text[]) and deleted_at is null`;
const CONTENTS = `select id, left(content, $3::int) as content from document where tenant = $1 and id = any($2::text[])`;
const CHECKPOINTS = `select source, checkpoint, through_ms::float8 as "throughMs" from document_checkpoint order by source`;
const SAVE_CHECKPOINT = `insert into document_checkpoint as c (source, checkpoint, through_ms) values ($1, $2, $3)
  on conflict (source) do update set checkpoint = excluded.checkpoint, through_ms = excluded.through_ms
  where c.through_ms <= excluded.through_ms`;
