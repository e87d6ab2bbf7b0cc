import { recipientStatuses } from '../emails/email-status';
import { transitions } from '../emails/recipient-states';
import { stateAges } from './state-ages';

const settings = {
  MAIL_OVERDUE_SECONDS: 60,
  MAIL_UNCERTAIN_OVERDUE_SECONDS: 86_400,
  MAIL_RELAY_TIMEOUT_SECONDS: 300,
  relays: 1,
};

test('every state that can still change has a longest age, and no final one has', () => {
  const changing = new Set<string>(['scheduled', 'sending', ...transitions.map(([state]) => state)]);
  const aging = Object.keys(stateAges(settings)).filter((state) => state !== 'hanging');
  expect(aging.sort()).toEqual(recipientStatuses.filter((status) => changing.has(status)).sort());
});

test('what waits, and what is in doubt, has the age that is set', () => {
  const { hanging, ...ages } = stateAges({ ...settings, MAIL_OVERDUE_SECONDS: 7, MAIL_UNCERTAIN_OVERDUE_SECONDS: 700 });
  expect(Object.entries(ages).map(([state, { seconds }]) => [state, seconds])).toEqual([
    ['queued', 7],
    ['scheduled', 7],
    ['deferred', 7],
    ['sending', 7],
    ['uncertain', 700],
  ]);
});

test('a hand-over may take as long as the slowest conversations with every relay', () => {
  const seconds = (relays: number, MAIL_RELAY_TIMEOUT_SECONDS: number) =>
    stateAges({ ...settings, relays, MAIL_RELAY_TIMEOUT_SECONDS }).hanging.seconds;
  expect([seconds(1, 300), seconds(1, 10), seconds(2, 10)]).toEqual([2480, 160, 320]);
});
