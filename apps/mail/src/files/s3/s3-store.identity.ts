import { StoreIdentity } from '../store-identity';
import type { S3Settings } from './s3.settings';

/** A bucket is known by where it is: two names of one server are two stores. */
export class S3StoreIdentity extends StoreIdentity {
  readonly kind = 's3';
  private readonly place: Readonly<Record<string, string>>;

  constructor({ S3_ENDPOINT, S3_BUCKET, S3_KEY_PREFIX }: S3Settings) {
    super();
    this.place = { S3_ENDPOINT: S3_ENDPOINT?.replace(/\/+$/, '') ?? 'AWS', S3_BUCKET: String(S3_BUCKET), S3_KEY_PREFIX };
  }

  found(): Promise<string> {
    return Promise.resolve(JSON.stringify(this.place));
  }

  established(): Promise<string> {
    return this.found();
  }

  difference(recorded: string): string {
    const was = JSON.parse(recorded) as Record<string, unknown>;
    return Object.entries(this.place)
      .filter(([name, value]) => was[name] !== value)
      .map(([name, value]) => `${name} is '${value}', and was '${String(was[name])}'`)
      .join('; ');
  }
}
