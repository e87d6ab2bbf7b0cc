import { type Comparison, type QueryNode, textAttributes } from '../../query/query';
import { fuzzyWordOf } from '../../text/fuzzy-word';
import type { TextNode } from '../../text/positive-texts';
import { storable } from './lexemes';
import type { Parameters } from './parameters';
import { tsqueryOf } from './tsquery';

/** Known before any row is read; a tsquery that other ones can be put together with; or SQL over a row `d`, never null. */
type Condition = boolean | { tsquery: string } | { sql: string };

const MAX_INTEGER = 2 ** 53;
const COLUMNS: ReadonlySet<string> = new Set(['id', 'kind', 'url']);
/** Lines of `names`. */
const LINES: readonly string[] = ['title', ...textAttributes];

/**
 * What holds of a row `d`, as SQL; all that comes from the caller is a parameter. Texts that stand together are one
 * tsquery, which one look into the index answers.
 * @param tenant how the statement speaks of the tenant
 */
export function whereSql(where: QueryNode, tenant: string, parameters: Parameters): string {
  return new Conditions(tenant, parameters).sql(where);
}

class Conditions {
  constructor(
    private readonly tenant: string,
    private readonly parameters: Parameters,
  ) {}

  sql(node: QueryNode): string {
    return this.rendered(this.of(node));
  }

  private of(node: QueryNode): Condition {
    switch (node.kind) {
      case 'text':
        return this.text(node);
      case 'not':
        return this.not(this.of(node.of));
      case 'all':
        return this.joined(node.of, true);
      case 'any':
        return this.joined(node.of, false);
      case 'equals':
        return this.equals(node.field, node.values.map(storable));
      case 'range':
        return { sql: node.field === 'timestamp' ? this.time(node.comparison, node.value) : this.number(node) };
    }
  }

  private rendered(condition: Condition): string {
    if (typeof condition === 'boolean') return String(condition);
    return 'sql' in condition ? condition.sql : `d.terms @@ ${this.parameters.add(condition.tsquery)}::tsquery`;
  }

  /** @param all whether all of them must hold, or one */
  private joined(nodes: readonly QueryNode[], all: boolean): Condition {
    const conditions = nodes.map((node) => this.of(node)).filter((condition) => condition !== all);
    if (conditions.includes(!all)) return !all;
    const texts = conditions.filter((condition) => typeof condition === 'object' && 'tsquery' in condition);
    const others = conditions.filter((condition) => typeof condition === 'object' && 'sql' in condition);
    const [only] = texts;
    const tsquery = texts.length > 1 ? { tsquery: `(${texts.map((text) => text.tsquery).join(all ? ' & ' : ' | ')})` } : only;
    if (others.length === 0) return tsquery ?? all;
    const parts = [...(tsquery ? [this.rendered(tsquery)] : []), ...others.map(({ sql }) => sql)];
    return { sql: parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(all ? ' and ' : ' or ')})` };
  }

  private not(condition: Condition): Condition {
    if (typeof condition === 'boolean') return !condition;
    return 'sql' in condition ? { sql: `not ${condition.sql}` } : { tsquery: `!(${condition.tsquery})` };
  }

  private text(node: TextNode): Condition {
    const fuzzy = node.match === 'fuzzy';
    if (fuzzy && node.field === 'content') return tsqueryOf(node) === undefined;
    const word = fuzzy ? fuzzyWordOf(node.text) : undefined;
    if (word) {
      const values = [word.word, word.edits, word.swapped].map((value) => this.parameters.add(value));
      const line = node.field === undefined ? 0 : LINES.indexOf(node.field) + 1;
      return { sql: `d.id in (select document_fuzzy(${this.tenant}, ${values.join(', ')}, ${line}))` };
    }
    const tsquery = tsqueryOf(node);
    return tsquery === undefined || { tsquery };
  }

  private equals(field: string, values: readonly string[]): Condition {
    if (values.length === 0) return false;
    if (COLUMNS.has(field)) return { sql: `d.${field} = any(${this.parameters.add(values)}::text[])` };
    const contained = values.map((value) => `d.attributes @> ${this.parameters.add(JSON.stringify({ [field]: [value] }))}::jsonb`);
    return { sql: contained.length === 1 ? (contained[0] ?? '') : `(${contained.join(' or ')})` };
  }

  private number({ field, comparison, value }: Extract<QueryNode, { kind: 'range' }>): string {
    const [name, bound] = [this.parameters.add(storable(field)), this.parameters.add(JSON.stringify({ bound: value }))];
    return `coalesce(jsonb_path_exists(d.numbers -> ${name}::text, '$[*] ? (@ ${comparison} $bound)', ${bound}::jsonb), false)`;
  }

  /** A document without a time, 0, is neither before nor after anything. The bound is made whole, for the index. */
  private time(comparison: Comparison, value: number): string {
    const whole = comparison === '>' || comparison === '<=' ? Math.floor(value) : Math.ceil(value);
    const bound = Math.min(Math.max(whole, -MAX_INTEGER), MAX_INTEGER);
    return `(d."timestamp" ${comparison} ${this.parameters.add(bound)}::bigint and d."timestamp" <> 0)`;
  }
}
