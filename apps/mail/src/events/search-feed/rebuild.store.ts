import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import { parseCheckpoint } from './checkpoint';

export interface RebuildProgress {
  /** Mails read again, of all tenants. */
  walked: number;
  /** How many there are, roughly. */
  emails: number;
  /** Tenants whose mails are still to be read. */
  tenantsLeft: number;
  /** Whether some mail process feeds search. */
  isFed: boolean;
  /** All is read, and search has said that it can be found. */
  isDone: boolean;
}

interface ProgressRow {
  walked: string;
  emails: number;
  walking: string;
  fed: boolean;
  checkpoint: string;
}

/** The number of mails is what PostgreSQL guesses: counting them takes as long as reading them. */
const PROGRESS = `
select s.checkpoint, coalesce(s.leased_until > now(), false) as fed, f.walked, f.walking, e.reltuples::float8 as emails
from search_feed_state s, pg_class e,
  (select coalesce(sum(walked), 0) as walked, count(*) filter (where walk_after is not null) as walking from search_feed) f
where e.oid = 'email'::regclass`;

/** How far a rebuild has come. */
@Injectable()
export class RebuildStore {
  constructor(private readonly database: DatabaseClient) {}

  /** @param rebuild its number */
  async progress(rebuild: number): Promise<RebuildProgress> {
    const [row] = await this.database.read<ProgressRow>({ text: PROGRESS, values: [] });
    const walked = Number(row!.walked);
    const tenantsLeft = Number(row!.walking);
    const claimed = parseCheckpoint(row!.checkpoint);
    const isDone = tenantsLeft === 0 && claimed !== undefined && claimed.rebuilds >= rebuild && claimed.throughMs > 0;
    return { walked, emails: Math.max(row!.emails, walked), tenantsLeft, isFed: row!.fed, isDone };
  }
}
