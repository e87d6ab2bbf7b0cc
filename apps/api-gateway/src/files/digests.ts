import { createHash, type Hash } from 'node:crypto';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';

const BYTES: ReadonlyMap<string, number> = new Map([
  ['sha-256', 32],
  ['sha-512', 64],
]);
/** A member of a dictionary of structured fields (RFC 9651) whose value is bytes, with parameters or without. */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):(?:;[^,]*)?$/;

interface Expected {
  header: string;
  algorithm: string;
  /** Base64. */
  digest: string;
}

/** The digests of a body that its headers name (RFC 9530), checked as it passes. */
export class BodyDigests {
  private readonly expected: readonly Expected[];
  private readonly hashes: ReadonlyMap<string, Hash>;

  /** @throws InvalidArgumentError where a header is no list of digests; an algorithm that is not known is left out */
  constructor(headers: Record<string, string | string[] | undefined>) {
    this.expected = ['Content-Digest', 'Repr-Digest'].flatMap((header) => digestsIn(header, headers[header.toLowerCase()]?.toString()));
    this.hashes = new Map(this.expected.map(({ algorithm }) => [algorithm, createHash(algorithm.replace('-', ''))]));
  }

  /** @throws RuleError DIGEST_MISMATCH at the end of the body, naming both */
  async *checked(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const bytes of body) {
      for (const hash of this.hashes.values()) hash.update(bytes);
      yield bytes;
    }
    const found = new Map([...this.hashes].map(([algorithm, hash]) => [algorithm, hash.digest('base64')]));
    for (const { header, algorithm, digest } of this.expected) {
      const actual = found.get(algorithm);
      if (actual !== digest) throw new RuleError('DIGEST_MISMATCH', `${header}: ${algorithm} of what arrived is ${actual}, not ${digest}`);
    }
  }
}

function digestsIn(header: string, value: string | undefined): Expected[] {
  if (value === undefined) return [];
  const byAlgorithm = new Map<string, Expected>();
  for (const member of value.split(',')) {
    const [, algorithm, digest] = MEMBER.exec(member.trim()) ?? [];
    if (algorithm === undefined || digest === undefined) throw malformed(header);
    const length = BYTES.get(algorithm);
    if (length === undefined) continue;
    const bytes = Buffer.from(digest, 'base64');
    if (bytes.length !== length) throw malformed(header);
    byAlgorithm.set(algorithm, { header, algorithm, digest: bytes.toString('base64') });
  }
  return [...byAlgorithm.values()];
}

const malformed = (field: string) =>
  new InvalidArgumentError([{ field, description: 'must be digests as in RFC 9530, such as sha-256=:<base64>:' }]);
