/** The database's schema is not the one that this program was built for. */
export class SchemaMismatchError extends Error {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}

/** Which migrations a database lacks, and which it has that this program does not know. */
export const schemaDifference = (applied: readonly string[], known: readonly string[]) => ({
  missing: known.filter((name) => !applied.includes(name)),
  unknown: applied.filter((name) => !known.includes(name)),
});

/** Refuses a database that lacks a migration or has one that this program does not know. */
export function checkSchemaVersion(applied: readonly string[], known: readonly string[]): void {
  const { missing, unknown } = schemaDifference(applied, known);
  if (unknown.length > 0) {
    throw new SchemaMismatchError(`the database is newer than this program: it has ${unknown.join(', ')}. Start a newer version.`);
  }
  if (missing.length > 0) {
    throw new SchemaMismatchError(`the database is older than this program: it lacks ${missing.join(', ')}. Run "npm run migrate".`);
  }
}
