import { setTimeout as sleep } from 'node:timers/promises';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { documentMessages } from './document-messages';
import { type DocumentBounds, type EmailChange, emailDocument, versionOf } from './email-document';
import type { TenantPlace } from './feed-backlog';
import { MAX_TRIES, type SetAside, setAside, verdictOn } from './feed-failures';
import type { EmailPlace, Progress, ReadEmail, SearchFeedStore } from './search-feed.store';
import type { FeedAnswer } from './search-feed.stream';

/** Tenants that have their turn together. */
export const TENANTS_A_TURN = 50;
/** Events that one turn looks at, those of all its tenants together. */
const EVENTS_A_TURN = 500;
/** Messages that are not answered yet, at most. */
const MESSAGES_IN_FLIGHT = 4;
/** Style and script are no text: of HTML more is read than is kept. */
const MAX_HTML_CHARS = 2 * 1024 * 1024;
const RETRY_MS = 100;

export interface TurnParts {
  store: Pick<SearchFeedStore, 'events' | 'walk' | 'emails'>;
  stream: { send(changes: readonly EmailChange[]): Promise<FeedAnswer[]> };
  bounds: DocumentBounds;
  rebuilds: number;
}

export interface Turn extends Progress {
  /** Tenants whose next events are no longer kept. */
  gaps: string[];
  /** What came of each document, counted. */
  outcomes: Map<string, number>;
}

/**
 * Tells search of what is next in these tenants, a bounded amount of each, so that one with much leaves time for the others.
 * @throws RuleError when search or the database is away: nothing is lost, since nobody has moved yet
 */
export async function takeTurn(tenants: readonly TenantPlace[], parts: TurnParts): Promise<Turn> {
  const limit = Math.max(Math.floor(EVENTS_A_TURN / tenants.length), 1);
  const following = tenants.filter(({ walkAfter }) => walkAfter === null);
  const walking = tenants.filter(({ walkAfter }) => walkAfter !== null);
  const events = following.length > 0 ? await parts.store.events(following, limit) : [];
  const walked = walking.length > 0 ? await parts.store.walk(walking, limit) : [];
  const eventsOf = Map.groupBy(events, ({ tenant }) => tenant);
  const walkedOf = Map.groupBy(walked, ({ tenant }) => tenant);
  const turn: Turn = { places: [], fed: [], setAside: [], gaps: [], outcomes: new Map() };
  const places: (TenantPlace & { walked: number })[] = [];
  for (const place of following) {
    const marks = eventsOf.get(place.tenant) ?? [];
    // Events are numbered without gaps, and the oldest are forgotten first.
    if (marks[0]?.cursor !== place.cursor + 1) turn.gaps.push(place.tenant);
    else places.push({ ...place, cursor: marks.at(-1)!.cursor, walked: 0 });
  }
  for (const place of walking) {
    const ids = walkedOf.get(place.tenant) ?? [];
    places.push({ ...place, walkAfter: ids.length < limit ? null : ids.at(-1)!.id, walked: ids.length });
  }
  const gaps = new Set(turn.gaps);
  const told = await tell(distinct([...events.filter(({ tenant }) => !gaps.has(tenant)), ...walked]), parts);
  return { ...turn, ...told, places };
}

const distinct = (places: readonly EmailPlace[]): EmailPlace[] => [
  ...new Map(places.map(({ tenant, id }) => [`${id} ${tenant}`, { tenant, id }])).values(),
];

type Told = Pick<Turn, 'fed' | 'setAside' | 'outcomes'>;

async function tell(emails: readonly EmailPlace[], parts: TurnParts): Promise<Told> {
  const told = { fed: [] as EmailPlace[], setAside: [] as SetAside[], outcomes: new Map<string, number>() };
  for (let rest = emails; rest.length > 0;) {
    const read = await parts.store.emails(rest, parts.bounds.contentBytes, MAX_HTML_CHARS);
    const changes: EmailChange[] = [];
    for (const row of read) changes.push(await changeOf(row, parts));
    const messages = documentMessages(changes);
    const sendNext = async () => {
      for (let message = messages.shift(); message; message = messages.shift()) await deliver(message, parts, told);
    };
    await Promise.all(Array.from({ length: MESSAGES_IN_FLIGHT }, sendNext));
    rest = rest.slice(read.length);
  }
  return told;
}

async function changeOf({ tenant, id, lastEvent, email }: ReadEmail, { bounds, rebuilds }: TurnParts): Promise<EmailChange> {
  const version = versionOf(lastEvent, rebuilds);
  return { tenant, id, version, document: email ? await emailDocument({ ...email, tenant, id, lastEvent }, bounds) : undefined };
}

async function deliver(message: readonly EmailChange[], { stream }: TurnParts, told: Told & { fed: EmailPlace[]; setAside: SetAside[] }) {
  const count = (outcome: string) => told.outcomes.set(outcome, (told.outcomes.get(outcome) ?? 0) + 1);
  for (let rest = message, tries = 1; rest.length > 0; tries++) {
    if (tries > 1) await sleep(RETRY_MS * tries);
    const answers = await stream.send(rest);
    const again: EmailChange[] = [];
    rest.forEach((change, index) => {
      const answer = answers[index] ?? '';
      if (!(answer instanceof RuleError)) {
        told.fed.push({ tenant: change.tenant, id: change.id });
        count(change.document ? answer : 'deleted');
        return;
      }
      const verdict = verdictOn(answer);
      if (verdict === 'away') throw answer;
      if (verdict === 'again' && tries < MAX_TRIES) again.push(change);
      else {
        told.setAside.push(setAside(change, answer));
        count('set_aside');
      }
    });
    rest = again;
  }
}
