/** Whether a service can serve, by what it needs for that. */
export interface Ready {
  /** What is needed, such as `database`. */
  name: string;
  isUp: boolean;
  /** More about it, without anything internal: probes need no token. */
  details?: Record<string, string>;
}

/** What a service answers its probes by; its module exports one. */
export abstract class Readiness {
  abstract ready(): Ready | Promise<Ready>;
}
