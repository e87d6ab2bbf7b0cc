import { Emails1764000000000 } from './migrations/0001-emails.migration';
import { Doubt1764100000000 } from './migrations/0002-doubt.migration';
import { SearchFeed1764200000000 } from './migrations/0003-search-feed.migration';
import { Files1764300000000 } from './migrations/0004-files.migration';

/** Listed by hand, oldest first: what the database must have had applied, no more and no less. */
export const migrations = [Emails1764000000000, Doubt1764100000000, SearchFeed1764200000000, Files1764300000000];
