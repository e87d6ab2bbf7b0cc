import { emailStatus, type RecipientStatus, recipientStatuses } from './email-status';

test.each<[RecipientStatus[], RecipientStatus]>([
  [['sent', 'sent'], 'sent'],
  [['sent', 'deferred', 'bounced'], 'deferred'],
  [['sent', 'bounced'], 'bounced'],
  [['sent', 'uncertain', 'bounced'], 'uncertain'],
  [['delivered', 'sent'], 'sent'],
  [['delivered'], 'delivered'],
  [['queued', 'sending'], 'sending'],
  [['scheduled'], 'scheduled'],
  [['canceled', 'sent'], 'canceled'],
  [['expired', 'failed'], 'failed'],
  [[], 'queued'],
])('recipients %j: the mail is %s', (recipients, status) => {
  expect(emailStatus(recipients)).toBe(status);
  expect(emailStatus(recipients.toReversed())).toBe(status);
});

test('what is still under way comes before what has ended: a caller who waits for an end waits for all', () => {
  const underWay: RecipientStatus[] = ['sending', 'deferred', 'queued', 'scheduled'];
  expect(recipientStatuses.slice(0, underWay.length)).toEqual(underWay);
  for (const ended of recipientStatuses.slice(underWay.length)) {
    for (const status of underWay) expect(emailStatus([ended, status])).toBe(status);
  }
});
