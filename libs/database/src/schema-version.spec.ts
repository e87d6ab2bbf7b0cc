import { checkSchemaVersion, SchemaMismatchError } from './schema-version';

const KNOWN = ['Emails0001', 'Files0002'];

test('the schema that this program was built for', () => {
  expect(() => checkSchemaVersion([...KNOWN].reverse(), KNOWN)).not.toThrow();
});

test.each([
  [[], /older.*it lacks Emails0001, Files0002\. Run "npm run migrate"/],
  [['Emails0001'], /older.*it lacks Files0002/],
  [[...KNOWN, 'Search0003'], /newer.*it has Search0003/],
  // Both: migrating would not help.
  [['Emails0001', 'Search0003'], /newer.*it has Search0003/],
])('%j applied: refused, with what to do', (applied, message) => {
  expect(() => checkSchemaVersion(applied, KNOWN)).toThrow(SchemaMismatchError);
  expect(() => checkSchemaVersion(applied, KNOWN)).toThrow(message);
});
