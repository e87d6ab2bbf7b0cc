import { Documents1764200000000 } from './migrations/0001-documents.migration';

/** Listed by hand, oldest first: what the database must have had applied, no more and no less. */
export const migrations = [Documents1764200000000];
