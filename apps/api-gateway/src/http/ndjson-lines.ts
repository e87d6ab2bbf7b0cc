import { MessageTooLargeError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { BodyBudget } from './body-budget';

/** One line of NDJSON. */
export interface Line {
  /** From 1, blank ones counted. */
  number: number;
  /** Without its end; the reason why it was not kept, where it was not. */
  content: Buffer | RuleError;
  /** Taken from the budget for it: whoever takes the line gives it back. */
  heldBytes: number;
}

const NEWLINE = 0x0a;
const BLANK = /^[ \t\r]*$/;
/** Longer than any line that is blank by intent. */
const MAX_BLANK_BYTES = 16;

/**
 * Cuts chunks into lines. Of a line that has not ended it holds `maxLineBytes` at most, and no more than the budget has;
 * the rest of a longer one is dropped as it comes. Blank lines are left out.
 */
export class NdjsonLines {
  private parts: Buffer[] = [];
  private heldBytes = 0;
  private refusal: RuleError | undefined;
  private number = 1;

  constructor(
    private readonly maxLineBytes: number,
    private readonly budget: BodyBudget,
  ) {}

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      yield* this.ended(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from < chunk.length) this.hold(chunk.subarray(from));
  }

  /** The last line, where it has no end. */
  end(): Generator<Line, void, undefined> {
    return this.ended(Buffer.alloc(0));
  }

  /** Gives back what is held. */
  release(): void {
    this.budget.giveBack(this.heldBytes);
    this.heldBytes = 0;
    this.parts = [];
  }

  private hold(part: Buffer): void {
    if (this.refusal) return;
    if (this.heldBytes + part.length > this.maxLineBytes) this.refuse(tooLong(this.maxLineBytes));
    else if (!this.budget.take(part.length)) this.refuse(new RuleError('OVERLOADED', 'the server holds as many request bodies as it can'));
    else {
      this.heldBytes += part.length;
      this.parts.push(part);
    }
  }

  private refuse(why: RuleError): void {
    this.release();
    this.refusal = why;
  }

  private *ended(rest: Buffer): Generator<Line, void, undefined> {
    const content = this.refusal ?? this.joinedWith(rest);
    const number = this.number++;
    const { heldBytes } = this;
    this.refusal = undefined;
    this.heldBytes = 0;
    this.parts = [];
    if (content instanceof RuleError || !isBlank(content)) yield { number, content, heldBytes };
    else this.budget.giveBack(heldBytes);
  }

  private joinedWith(rest: Buffer): Buffer | RuleError {
    if (this.heldBytes + rest.length > this.maxLineBytes) return tooLong(this.maxLineBytes);
    return this.parts.length === 0 ? rest : Buffer.concat([...this.parts, rest]);
  }
}

const tooLong = (maxBytes: number): RuleError => new MessageTooLargeError('the line', maxBytes);

const isBlank = (line: Buffer): boolean => line.length <= MAX_BLANK_BYTES && BLANK.test(line.toString('latin1'));
