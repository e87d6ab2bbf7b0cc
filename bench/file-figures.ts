/** What one transfer, or several at a time, came to. */
export interface TransferFigures {
  wire: string;
  direction: 'up' | 'down';
  atATime: number;
  mebibytesPerSecond: number;
  /** Seconds of CPU for each GiB that was moved. */
  cpu: ServerFigures;
  /** Resident, in MiB. */
  before: ServerFigures;
  peak: ServerFigures;
}

/** Of each server, whether it had part in it or not. */
export interface ServerFigures {
  mail: number;
  gateway: number;
  bare: number;
}
