import type { MeshSystem } from './mesh-system';
import type { MixedLoad } from './mixed.load';

export interface StoredMail {
  id: string;
  subject: string;
}

/** What is to be seen of a load when it is over: what was lost, doubled or missed. Each is empty where all is well. */
export interface LossesOfLoad {
  /** Subjects of accepted mails that are not stored once, under the id that was told. */
  notStoredOnce: string[];
  /** Ids of accepted mails that the relay has not, or more than once. */
  notDeliveredOnce: string[];
  /** The first cursor that does not follow the one before, over gRPC and over REST. */
  gaps: number[];
}

/** @param stored all mails of the database */
export function lossesOf({ accepted, mailStreams }: MixedLoad, { relay }: MeshSystem, stored: readonly StoredMail[]): LossesOfLoad {
  const ids = new Map<string, string[]>();
  for (const { id, subject } of stored) ids.set(subject, [...(ids.get(subject) ?? []), id]);
  const delivered = new Map<string, number>();
  for (const { messageId } of relay.mails) delivered.set(messageId, (delivered.get(messageId) ?? 0) + 1);
  return {
    notStoredOnce: [...accepted].filter(([subject, id]) => String(ids.get(subject)) !== id).map(([subject]) => subject),
    notDeliveredOnce: [...accepted.values()].filter((id) => delivered.get(id) !== 1),
    gaps: [mailStreams.watched, mailStreams.told].flatMap((cursors) => cursors.find((cursor, index) => cursor !== index + 1) ?? []),
  };
}

/** Ids as callers see them. */
export const STORED_MAILS = "select 'msg_' || id as id, subject from email";
