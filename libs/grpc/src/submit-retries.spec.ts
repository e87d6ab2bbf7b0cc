import { callContext } from './call-context';
import type { ErrorReason } from './error-reasons';
import { RuleError } from './rule-error';
import { submitted } from './submit-retries';

/** Fails with each of these in turn, then answers. */
function failing(...reasons: ErrorReason[]) {
  let tries = 0;
  const attempt = () => {
    const reason = reasons[tries++];
    return reason ? Promise.reject(new RuleError(reason)) : Promise.resolve('accepted');
  };
  return { attempt, tries: () => tries };
}

test.each<ErrorReason>(['SERVICE_UNAVAILABLE', 'ACCEPT_UNKNOWN'])('after %s it is asked again, and finds out', async (reason) => {
  const { attempt, tries } = failing(reason, reason);
  expect(await submitted(attempt)).toBe('accepted');
  expect(tries()).toBe(3);
});

test.each<ErrorReason>(['DATABASE_UNAVAILABLE', 'OVERLOADED', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED'])(
  '%s is an answer',
  async (reason) => {
    const { attempt, tries } = failing(reason);
    await expect(submitted(attempt)).rejects.toMatchObject({ reason });
    expect(tries()).toBe(1);
  },
);

test.each<ErrorReason>(['DATABASE_UNAVAILABLE', 'QUEUE_FULL', 'UNAUTHENTICATED', 'INTERNAL'])(
  '%s is never said of a mail that may be accepted by an earlier try',
  async (reason) => {
    const { attempt } = failing('ACCEPT_UNKNOWN', reason);
    await expect(submitted(attempt)).rejects.toMatchObject({ reason: 'ACCEPT_UNKNOWN' });
  },
);

test('what is wrong with the mail is said of all of them', async () => {
  const { attempt } = failing('SERVICE_UNAVAILABLE', 'INVALID_ARGUMENT');
  await expect(submitted(attempt)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
});

test('it ends after four tries', async () => {
  const { attempt, tries } = failing(...Array<ErrorReason>(9).fill('SERVICE_UNAVAILABLE'));
  await expect(submitted(attempt)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  expect(tries()).toBe(4);
});

test('nobody asks again for a caller who has left', async () => {
  const { attempt, tries } = failing('SERVICE_UNAVAILABLE');
  const context = { requestId: 'mine', signal: AbortSignal.abort(), deadline: Infinity };
  await expect(callContext.run(context, () => submitted(attempt))).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  expect(tries()).toBe(1);
});
