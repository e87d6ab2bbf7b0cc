import { type AnsweredStream, type Answers, answerStream, type FailedAnswer } from './answered-stream';
import { InFlight } from './in-flight';
import { RuleError } from './rule-error';

interface Done {
  requestRef?: string;
  told: string;
}
type Message = readonly string[];

/** A stream in memory: messages of refs in, answers out. */
class MemoryStream implements AnsweredStream<Message, Done> {
  readonly written: (Done | FailedAnswer)[] = [];
  private readonly messages: (Message | undefined)[] = [];
  private wake: () => void = () => undefined;
  private readonly leaving = new AbortController();
  readonly ending = new AbortController().signal;
  readonly gone = this.leaving.signal;

  send(message: Message | undefined): void {
    this.messages.push(message);
    this.wake();
  }

  leave(): void {
    this.leaving.abort(new RuleError('CANCELLED'));
  }

  async read(): Promise<Message | undefined> {
    while (this.messages.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.messages.shift();
  }

  async write(answers: readonly (Done | FailedAnswer)[]): Promise<void> {
    this.written.push(...answers);
  }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

let stream: MemoryStream;
let decide: Map<string, (outcome: Done | Error) => void>;
/** What comes after all that was begun; a message `all` asks for it. */
let afterAll: () => Promise<Done>;
beforeEach(() => {
  stream = new MemoryStream();
  decide = new Map();
  afterAll = async () => ({ told: 'all' });
});

const work = (requestRef: string) =>
  new Promise<Done>((resolve, reject) =>
    decide.set(requestRef, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve({ ...outcome, requestRef }))),
  );

function run(): Promise<void> {
  const limits = { maxInFlight: 10, idleMs: 60_000, undecided: new InFlight(1000) };
  return answerStream(stream, limits, async (message, answers: Answers<Done>) => {
    for (const ref of message) {
      if (ref === 'all') await answers.afterAll(() => afterAll());
      else await answers.begin(ref, () => ({ bytes: 1, run: () => work(ref) }));
    }
  });
}

test('what comes after all waits for those that fail, too, and is asked for once they are decided', async () => {
  const running = run();
  let asked = 0;
  afterAll = async () => ({ told: `all ${++asked}` });
  stream.send(['a', 'b', 'all', 'c']);
  stream.send(undefined);
  await settled();
  decide.get('b')?.(new Error('b failed'));
  await settled();
  expect(asked).toBe(0);
  // Nor is anything begun behind it.
  expect(decide.has('c')).toBe(false);
  decide.get('a')?.({ told: 'a' });
  await settled();
  decide.get('c')?.({ told: 'c' });
  await running;
  expect(stream.written.map((answer) => ('told' in answer ? answer.told : (answer.error as Error).message))).toEqual([
    'b failed',
    'a',
    'all 1',
    'c',
  ]);
});

test('a failure of it ends the stream, without an answer, and what was begun is answered', async () => {
  const running = run();
  afterAll = () => Promise.reject(new RuleError('SEARCH_UNAVAILABLE'));
  const ended = expect(running).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  stream.send(['a', 'all']);
  await settled();
  decide.get('a')?.({ told: 'a' });
  await ended;
  expect(stream.written).toEqual([{ requestRef: 'a', told: 'a' }]);
});

test('who has gone is not waited for', async () => {
  const running = run();
  const ended = expect(running).rejects.toMatchObject({ reason: 'CANCELLED' });
  stream.send(['a', 'all']);
  await settled();
  stream.leave();
  await ended;
  expect(stream.written).toEqual([]);
});
