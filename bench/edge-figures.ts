/** What one load, or one transfer, came to by one wire in one round. CPU in microseconds of one call, or in seconds of one GiB. */
export interface WireFigures {
  wire: string;
  round: number;
  cpu: EdgeCpu;
}

/** Of each that has part in it; `client` is this process, and another if the wire has one. */
export interface EdgeCpu {
  client: number;
  edge: number;
  gateway: number;
  mail: number;
}

/** Latencies in milliseconds. */
export interface CallFigures extends WireFigures {
  call: string;
  atATime: number;
  perSecond: number;
  p50: number;
  p99: number;
  errors: number;
}

export interface EdgeTransferFigures extends WireFigures {
  transfer: string;
  mebibytesPerSecond: number;
}

/** HTTP/3 on a path that loses and delays, in one round. */
export interface LossFigures {
  round: number;
  /** Of the datagrams of each direction: 0.05 is 5%. */
  dropped: number;
  /** Of each direction: half of what is added to a round trip. */
  delayMs: number;
  mebibytesPerSecond: number;
  /** Of calls, in milliseconds, by how many there are at a time. */
  calls: { atATime: number; p50: number; p99: number; errors: number }[];
}

/** From the first datagram of a connection to the answer's head, in milliseconds. */
export interface FirstByteFigures {
  how: string;
  ms: number;
}

export interface EdgeFigures {
  calls: CallFigures[];
  transfers: EdgeTransferFigures[];
  loss: LossFigures[];
  firstByte: FirstByteFigures[];
}
