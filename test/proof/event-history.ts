import type { EventPage, ToldEvent } from './rest.entrance';

interface Change {
  type: string;
  /** Empty: of the whole mail. */
  recipient: string;
  status: string;
}

/** What the events of a tenant say, read from the first one kept to the last: the cursors, and each mail's course. */
export class EventHistory {
  /** Cursors that are not the one after the one before. */
  gaps = 0;
  /** The last cursor: as many events as there are, where none is missing. */
  last = 0;
  /** When somebody came to be uncertain, in ms since the epoch. */
  readonly uncertainAt: number[] = [];
  private readonly courses = new Map<string, Change[]>();

  static async read(pageAfter: (cursor: string) => Promise<EventPage>): Promise<EventHistory> {
    const history = new EventHistory();
    let page: EventPage = { events: [], cursor: '0', has_more: true };
    while (page.has_more) {
      page = await pageAfter(page.cursor);
      page.events.forEach((event) => history.add(event));
    }
    return history;
  }

  /** The changes of a mail and its recipients, in order. */
  changes(id: string): readonly Change[] {
    return this.courses.get(id) ?? [];
  }

  /** The state that the last event of a mail to one recipient left it in. */
  status(id: string): string | undefined {
    return this.changes(id).at(-1)?.status;
  }

  /** Whether any recipient of it was uncertain at any time. */
  wasUncertain(id: string): boolean {
    return this.changes(id).some(({ type }) => type === 'email.uncertain');
  }

  /** Mails that were uncertain at any time. */
  get uncertain(): number {
    return [...this.courses.keys()].filter((id) => this.wasUncertain(id)).length;
  }

  private add({ cursor, type, message_id: id, recipient = '', status, occurred_at_ms: at }: ToldEvent): void {
    if (Number(cursor) !== this.last + 1) this.gaps++;
    this.last = Number(cursor);
    if (type === 'email.uncertain') this.uncertainAt.push(Number(at));
    const course = this.courses.get(id);
    if (course) course.push({ type, recipient, status });
    else this.courses.set(id, [{ type, recipient, status }]);
  }
}
