/** Why the stack does not start or go on, told in lines that a person can act on; never shown with a stack trace. */
export class StartError extends Error {
  constructor(...lines: string[]) {
    super(lines.join('\n'));
    this.name = 'StartError';
  }
}
