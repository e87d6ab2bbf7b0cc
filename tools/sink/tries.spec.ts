import { magicOf, type MagicRecipient } from './magic-recipients';
import { Tries } from './tries';

const once = magicOf('greylisted@example.com') as MagicRecipient;

test('an effect has its end for each mail on its own', () => {
  const tries = new Tries(10);
  expect(['one', 'one', 'two', 'one'].map((mail) => tries.isDue(once, mail))).toEqual([true, false, true, false]);
});

test('no more mails are remembered than it may: the one tried longest ago is forgotten', () => {
  const tries = new Tries(2);
  for (const mail of ['one', 'two', 'one', 'three']) tries.isDue(once, mail);
  expect(tries.isDue(once, 'one')).toBe(false);
  expect(tries.isDue(once, 'two')).toBe(true);
});
