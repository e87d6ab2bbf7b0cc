import { type OperatorName, textFieldOf, valueOperatorOf, type ValueOperatorName } from './operators';
import type { QueryNode } from './query';
import { hasWord } from './query-characters';
import { queryError } from './query-error';
import { MAX_CLAUSES, MAX_DEPTH, MAX_FUZZY_WORDS, MAX_PREFIXES } from './query-limits';
import { readTokens, type Token } from './query-tokens';
import { allOf, anyOf, depthOf, notOf } from './query-tree';
import { type TextNode, textOf } from './text-clause';

/**
 * Reads what a person typed; docs/search.md, "The query language", is its specification.
 *
 *     query   = all
 *     all     = any { [AND] any }
 *     any     = not { OR not }
 *     not     = { - | NOT } operand
 *     operand = word | "phrase" | ( all ) | operator operand
 *
 * What has neither letter, digit nor emoji is left out, as if it had not been typed. Time is linear in the length.
 * @param now what newer_than: and older_than: count from; the same for all pages of a search
 * @throws InvalidArgumentError with the position of what is wrong
 */
export function parseQuery(text: string, now: Date = new Date()): QueryNode {
  return new QueryParser(readTokens(text), now).parse();
}

type Leaf = Extract<Token, { kind: 'word' | 'phrase' }>;

/** Methods give undefined where there is nothing to look for. */
class QueryParser {
  private at = 0;
  /** Open groups. */
  private groups = 0;
  private clauses = 0;
  private readonly matches = { phrase: 0, prefix: 0, fuzzy: 0 };

  constructor(
    private readonly tokens: readonly Token[],
    private readonly now: Date,
  ) {}

  parse(): QueryNode {
    const node = this.all(undefined) ?? allOf([]);
    if (this.token.kind === 'close') throw queryError(this.token.position, 'this ) closes nothing; in quotes it is text');
    return bounded(node, 1);
  }

  /** @param scope the operator that the words are for */
  private all(scope: OperatorName | undefined): QueryNode | undefined {
    const found: (QueryNode | undefined)[] = [];
    while (!this.isAtEnd() || this.previous?.kind === 'and') {
      found.push(this.any(scope));
      this.take('and');
    }
    const nodes = found.filter((node) => node !== undefined);
    return nodes.length === 0 ? undefined : allOf(nodes);
  }

  private any(scope: OperatorName | undefined): QueryNode | undefined {
    const found = [this.not(scope)];
    while (this.take('or')) found.push(this.not(scope));
    const nodes = found.filter((node) => node !== undefined);
    return nodes.length === 0 ? undefined : anyOf(nodes);
  }

  private not(scope: OperatorName | undefined): QueryNode | undefined {
    let negated = false;
    while (this.take('minus') || this.take('not')) negated = !negated;
    const node = this.operand(scope);
    return node && negated ? notOf(node) : node;
  }

  private operand(scope: OperatorName | undefined): QueryNode | undefined {
    const token = this.token;
    switch (token.kind) {
      case 'word':
      case 'phrase':
        this.at += 1;
        return this.leaf(token, scope);
      case 'open':
        return this.group(scope);
      case 'operator':
        if (scope !== undefined) throw queryError(token.position, `${token.name}: cannot stand within ${scope}:; in quotes it is text`);
        return this.scoped(token.name, token.position);
      case 'and':
      case 'or':
        throw misplaced(token);
      case 'minus':
      case 'not':
        throw queryError(token.position, `a negation stands before ${scope}:, not behind it`);
      case 'close':
      case 'end':
        throw misplaced(this.previous ?? token);
    }
  }

  private scoped(name: OperatorName, position: number): QueryNode {
    this.at += 1;
    if (this.isAtEnd()) throw needsOperand(name, position);
    const node = this.operand(name);
    if (node === undefined) throw needsOperand(name, position);
    return node;
  }

  private group(scope: OperatorName | undefined): QueryNode | undefined {
    const { position } = this.token;
    if (this.groups === MAX_DEPTH) throw tooDeep(position);
    this.at += 1;
    this.groups += 1;
    const node = this.all(scope);
    if (!this.take('close')) throw queryError(position, 'this ( is never closed; in quotes it is text');
    this.groups -= 1;
    return node && bounded(node, position);
  }

  private leaf(token: Leaf, scope: OperatorName | undefined): QueryNode | undefined {
    const field = scope && textFieldOf(scope);
    if (scope !== undefined && field === undefined) return this.counted(this.value(token, scope as ValueOperatorName), token);
    if (!hasWord(token.text)) return undefined;
    return this.counted(textOf(token, field), token);
  }

  private value({ text, position }: Leaf, name: ValueOperatorName): QueryNode {
    const { takes, read } = valueOperatorOf(name);
    const node = read(text, this.now);
    if (!node) throw queryError(position, `${name}: takes ${takes}`);
    return node;
  }

  private counted(node: QueryNode, { position }: Leaf): QueryNode {
    this.clauses += 1;
    if (this.clauses > MAX_CLAUSES) throw queryError(position, `there may be at most ${MAX_CLAUSES} words, phrases and operators`);
    if (node.kind === 'text') this.countMatch(node, position);
    return node;
  }

  private countMatch({ match }: TextNode, position: number): void {
    this.matches[match] += 1;
    if (this.matches.prefix > MAX_PREFIXES) throw queryError(position, `at most ${MAX_PREFIXES} words may end with *`);
    if (this.matches.fuzzy > MAX_FUZZY_WORDS) throw queryError(position, `at most ${MAX_FUZZY_WORDS} words may end with ~`);
  }

  private get token(): Token {
    return this.tokens[this.at]!;
  }

  private get previous(): Token | undefined {
    return this.tokens[this.at - 1];
  }

  private isAtEnd(): boolean {
    return this.token.kind === 'end' || this.token.kind === 'close';
  }

  private take(kind: Token['kind']): boolean {
    if (this.token.kind !== kind) return false;
    this.at += 1;
    return true;
  }
}

function bounded(node: QueryNode, position: number): QueryNode {
  if (depthOf(node) > MAX_DEPTH) throw tooDeep(position);
  return node;
}

const tooDeep = (position: number) => queryError(position, `groups may be nested at most ${MAX_DEPTH} deep`);

const needsOperand = (name: OperatorName, position: number) =>
  queryError(
    position,
    `${name}: needs ${textFieldOf(name) ? 'a word, a "phrase" or a (group)' : valueOperatorOf(name as ValueOperatorName).takes} behind it`,
  );

function misplaced({ kind, position }: Token) {
  if (kind === 'and' || kind === 'or') {
    const word = kind.toUpperCase();
    return queryError(position, `${word} stands between two things to find; to find the word itself write it small or in quotes`);
  }
  return queryError(position, 'NOT stands before what must not be found; to find the word itself write it small or in quotes');
}
