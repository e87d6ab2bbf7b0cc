/** The parameters of a statement, in the order in which they were mentioned. */
export class Parameters {
  readonly values: unknown[] = [];

  /** How the statement speaks of it. */
  add(value: unknown): string {
    return `$${this.values.push(value)}`;
  }
}
