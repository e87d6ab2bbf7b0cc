import { randomInt } from 'node:crypto';
import { findPorts } from './loopback-ports';

/**
 * Below those that the system gives to connections: a client that asks again and again for a port that is one of these,
 * while nobody listens there, gets connected to itself at last, and holds the port.
 */
const PORTS = { min: 20_000, max: 29_999 };
const PORT_TRIES = 20;

/** A free port for a server that is ended and started again on it. */
export async function steadyPort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return (await findPorts({ port: { setting: 'none', port: randomInt(PORTS.min, PORTS.max) } }, 0)).port;
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
    }
  }
}
