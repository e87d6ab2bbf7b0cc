import { recipientStatuses } from '../../apps/mail/src/emails/email-status';
import { statuses } from '../../apps/search/src/query/operators';

test('is: takes every state that a mail can be in, and no other', () => {
  expect([...statuses].sort()).toEqual([...recipientStatuses].sort());
});
