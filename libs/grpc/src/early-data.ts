import type { Metadata } from '@grpc/grpc-js';

/**
 * Says that a request came in early data of TLS (0-RTT), before the handshake was done, and so may be a replay
 * (RFC 8470). Whatever it says means 1 (section 5.1), and whoever sends a request on sends it on.
 */
export const EARLY_DATA = 'early-data';

export const saysEarlyData = (metadata: Metadata): boolean => metadata.get(EARLY_DATA).length > 0;
