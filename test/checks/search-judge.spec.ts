import type { SearchPage, SearchReply } from '../proof/search.entrance';
import { judge } from '../proof/search.judge';
import type { Acknowledged } from '../proof/search.sends';

const mail = (id: string, at: number): Acknowledged => ({ id, at, subjectWord: `subject${id}`, bodyWord: `body${id}` });
const MAILS = [mail('msg_1', 100), mail('msg_2', 200)];

const page = (ids: readonly string[], more: Partial<SearchPage> = {}): SearchReply => ({
  kind: 'page',
  page: { results: ids.map((id) => ({ id, attributes: {} })), total_count: ids.length, indexed_through_ms: 150, ...more },
});
const refused = (status: number, retryAfter: boolean): SearchReply => ({ kind: 'refused', status, reason: 'ANY', retryAfter });

test.each<[string, SearchReply, string]>([
  ['everything', page(['msg_1', 'msg_2']), 'right'],
  ['what was acknowledged before the time that it claims', page(['msg_1']), 'right'],
  ['not that', page(['msg_2']), 'lie'],
  ['nothing, and claims something', page([]), 'lie'],
  ['nothing, and claims nothing', page([], { indexed_through_ms: 0 }), 'right'],
  ['up to the very moment of an acknowledgement', page(['msg_1'], { indexed_through_ms: 200 }), 'lie'],
  ['nothing, and says that it may be incomplete', page([], { degraded: true, degraded_reason: 'away' }), 'degraded'],
  ['something twice', page(['msg_1', 'msg_1']), 'wrong'],
  ['something that nobody asked for', page(['msg_1', 'msg_3'], { degraded: true }), 'wrong'],
  ['an error that says when to ask again', refused(503, true), 'error'],
  ['an error that does not', refused(503, false), 'other error'],
  ['that there was no time', refused(504, false), 'error'],
  ['a defect', refused(500, true), 'other error'],
  ['no answer at all', refused(0, false), 'other error'],
])('an answer that tells %s is judged', (_name, reply, verdict) => {
  expect(judge(reply, MAILS).verdict).toBe(verdict);
});

test('what is lacking is named', () => {
  expect(judge(page([]), MAILS).lacking).toEqual([MAILS[0]]);
  expect(judge(page([], { degraded: true }), MAILS).lacking).toEqual(MAILS);
});
