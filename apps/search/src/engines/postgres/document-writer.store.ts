import { type DatabaseClient, sqlState } from '@sky-genesis/database';
import type { ChangeOutcome, DocumentChange } from '../search.engine';
import { type WrittenRow, writeStatement } from './documents.statement';

/** The changes of one document in a call, as far as their versions rise; only the last one has to be written. */
interface Chain {
  last: DocumentChange;
  /** Its places in the call. */
  rising: { index: number; change: DocumentChange }[];
}

/** Of texts in one statement, in characters; a single larger one goes alone. */
const MAX_STATEMENT_LENGTH = 8 * 1024 * 1024;
const MAX_STATEMENT_ROWS = 1000;
/** How often a statement is written that was rolled back for no fault of its own. */
const TRIES = 4;
/** Deadlock or serialization failure. */
const ROLLED_BACK = /^40/;
/** What a single document can be blamed for: data, constraint, program limit. */
const BAD_ITEM = /^(22|23|54)/;

/** Writes documents and deletions. What was written before stays written where a later part fails. */
export class DocumentWriter {
  constructor(private readonly database: DatabaseClient) {}

  /** An outcome or an error for each, in order. */
  async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    const outcomes = changes.map((): ChangeOutcome | Error => 'unchanged');
    for (const chains of statements(chainsOf(changes))) {
      for (const { index, outcome } of await this.writeChains(chains)) outcomes[index] = outcome;
    }
    return outcomes;
  }

  private async writeChains(chains: readonly Chain[]): Promise<{ index: number; outcome: ChangeOutcome | Error }[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows } = await this.database.run<WrittenRow>(writeStatement(chains.map(({ last }) => last)));
        const written = new Map(rows.map((row) => [keyOf(row), row]));
        return chains.flatMap((chain) => outcomesOf(chain, written.get(keyOf(target(chain.last)))));
      } catch (error) {
        if (BAD_ITEM.test(sqlState(error))) return this.halve(chains, error as Error);
        if (!ROLLED_BACK.test(sqlState(error)) || attempt === TRIES) throw error;
      }
    }
  }

  /** One bad document must not fail the others: halves them until it is alone. */
  private async halve(chains: readonly Chain[], cause: Error): Promise<{ index: number; outcome: ChangeOutcome | Error }[]> {
    const [only] = chains;
    if (only && chains.length === 1) return only.rising.map(({ index }) => ({ index, outcome: cause }));
    const middle = chains.length >> 1;
    return [...(await this.writeChains(chains.slice(0, middle))), ...(await this.writeChains(chains.slice(middle)))];
  }
}

function chainsOf(changes: readonly DocumentChange[]): Chain[] {
  const chains = new Map<string, Chain>();
  changes.forEach((change, index) => {
    const key = keyOf(target(change));
    const chain = chains.get(key);
    if (!chain) chains.set(key, { last: change, rising: [{ index, change }] });
    else if (target(change).version > target(chain.last).version) {
      chain.last = change;
      chain.rising.push({ index, change });
    }
  });
  return [...chains.values()];
}

/** As if each had been written on its own, one after the other. */
function outcomesOf({ rising }: Chain, row: WrittenRow | undefined): { index: number; outcome: ChangeOutcome }[] {
  // What was kept is as high as the last of them.
  if (!row) return rising.map(({ index }) => ({ index, outcome: 'unchanged' }));
  let there = row.wasThere;
  return rising.map(({ index, change }) => {
    if (row.before !== null && target(change).version <= row.before) return { index, outcome: 'unchanged' };
    const before = there;
    there = change.change === 'index';
    if (there) return { index, outcome: before ? 'updated' : 'created' };
    return { index, outcome: before ? 'deleted' : 'unchanged' };
  });
}

function* statements(chains: readonly Chain[]): Generator<Chain[]> {
  let rows: Chain[] = [];
  let length = 0;
  for (const chain of chains) {
    const size = sizeOf(chain.last);
    if (rows.length > 0 && (rows.length === MAX_STATEMENT_ROWS || length + size > MAX_STATEMENT_LENGTH)) {
      yield rows;
      rows = [];
      length = 0;
    }
    rows.push(chain);
    length += size;
  }
  if (rows.length > 0) yield rows;
}

const sizeOf = (change: DocumentChange): number =>
  change.change === 'index' ? change.document.content.length + change.document.title.length : 0;

const target = (change: DocumentChange) => (change.change === 'index' ? change.document : change);

const keyOf = ({ tenant, id }: { tenant: string; id: string }): string => JSON.stringify([tenant, id]);
