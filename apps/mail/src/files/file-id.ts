import { RuleError } from '@sky-genesis/grpc/rule-error';

const PREFIX = 'file_';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The id of a file, or of the upload that it begins as, as callers see it. */
export const formatFileId = (uuid: string): string => PREFIX + uuid;

/** The UUID of an id, given with or without its prefix; undefined for what cannot be one. */
export function fileUuid(id: string): string | undefined {
  const uuid = id.startsWith(PREFIX) ? id.slice(PREFIX.length) : id;
  return UUID.test(uuid) ? uuid.toLowerCase() : undefined;
}

/** @throws RuleError FILE_NOT_FOUND, as for any id that the tenant does not have */
export function parseFileId(id: string): string {
  const uuid = fileUuid(id);
  if (uuid === undefined) throw fileNotFound();
  return uuid;
}

/** The same words whether it never existed or is another tenant's. */
export const fileNotFound = (): RuleError => new RuleError('FILE_NOT_FOUND');
