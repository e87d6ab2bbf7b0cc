import { recipientStatuses } from './email-status';
import { transitions } from './recipient-states';

const next = (state: string, event: string) => transitions.filter((row) => row[0] === state && row[1] === event).map((row) => row[2]);

test('each state and event has one next state, or none', () => {
  const pairs = transitions.map(([state, event]) => `${state} ${event}`);
  expect(new Set(pairs).size).toBe(pairs.length);
});

test('a final state is never left', () => {
  const open = ['queued', 'deferred', 'uncertain'];
  const final = recipientStatuses.filter((status) => !open.includes(status));
  expect(transitions.filter(([state]) => final.includes(state))).toEqual([]);
});

test('every state leads to a final one', () => {
  expect(next('queued', 'taken')).toEqual(['sent']);
  expect(next('deferred', 'expired')).toEqual(['expired']);
  expect(next('uncertain', 'resolved_failed')).toEqual(['failed']);
});

test('a doubt ends only by the word of a relay or of somebody who knows', () => {
  const leaves = transitions.filter(([state, , to]) => state === 'uncertain' && to !== 'uncertain').map(([, event]) => event);
  expect(leaves).toEqual(['taken', 'refused', 'resolved_sent', 'resolved_resend', 'resolved_failed']);
});

test('what may have arrived is never said to be canceled or expired', () => {
  expect(next('uncertain', 'canceled')).toEqual([]);
  expect(next('uncertain', 'expired')).toEqual(['uncertain']);
});
