import { RuleError } from '@sky-genesis/grpc/rule-error';

const PREFIX = 'msg_';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id as callers see it. */
export const formatEmailId = (uuid: string): string => PREFIX + uuid;

/**
 * The UUID of an id, given with or without its prefix.
 * @throws RuleError EMAIL_NOT_FOUND, as for any id that the tenant does not have
 */
export function parseEmailId(id: string): string {
  const uuid = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
  if (!UUID.test(uuid)) throw emailNotFound();
  return uuid.toLowerCase();
}

/** The same words whether it never existed or is another tenant's. */
export const emailNotFound = (): RuleError => new RuleError('EMAIL_NOT_FOUND');
