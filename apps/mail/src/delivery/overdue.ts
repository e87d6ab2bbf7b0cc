/** What is overdue in one state. */
export interface Overdue {
  /** To a bound: so many, or more. */
  count: number;
  /** The id of the oldest, as it is stored. */
  oldestId: string;
  /** Since the oldest was due, was claimed or came into doubt. */
  oldestSeconds: number;
}
