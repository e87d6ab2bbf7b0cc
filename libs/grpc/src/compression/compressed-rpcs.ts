/** Chunks of files, which mostly are compressed already, and answers of a few bytes. */
const NEVER = ['/sky_genesis.StreamingService/', '/grpc.health.v1.Health/'];

/** Whether messages of a method are compressed at all. */
export const isCompressed = (path: string): boolean => !NEVER.some((service) => path.startsWith(service));
