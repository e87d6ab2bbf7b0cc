/** What one file, and one tenant's files, may be. Each bound is a setting (FILES_...). */
export class FileLimits {
  constructor(
    readonly bytes: number,
    readonly bytesPerTenant: number,
    /** Unfinished ones of a tenant. */
    readonly uploadsPerTenant: number,
    /** How long an upload may lie without a byte, in seconds. */
    readonly uploadExpirySeconds: number,
    /** How long a stream may wait for its client's next message, or for its client to take one. */
    readonly streamIdleMs: number,
  ) {}
}

/** Of one message, in bytes. */
export const MAX_CHUNK_BYTES = 1024 * 1024;
