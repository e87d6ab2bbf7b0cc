/** A relay's reply: as it gave it (one line, bounded), and the enhanced code of RFC 3463 where there is one. */
export interface RelayReply {
  /** 250, 451, 550, ... */
  code: number;
  text: string;
  enhancedCode: string;
}

/** What the relay decided for one recipient; `unreached`: the conversation ended before it did. */
export interface RecipientHandover {
  result: 'accepted' | 'refused' | 'deferred' | 'uncertain' | 'unsupported' | 'unreached';
  reply: RelayReply | undefined;
  /** Why, in a stable word, where no relay's reply says it. */
  reason: string;
}

/** One try of one mail at one relay. */
export interface Handover {
  outcome: 'accepted' | 'refused' | 'deferred' | 'uncertain' | 'connection_failed';
  relay: string;
  /** How long the relay took, waits of our own left out; undefined: it was not there, no conversation began. */
  conversationMs: number | undefined;
  reply: RelayReply | undefined;
  /** Such as TLSv1.3; '' without TLS. */
  tlsVersion: string;
  /** In the order of the addresses handed in. */
  recipients: RecipientHandover[];
}

const MAX_REPLY = 512;

/** Reads a reply of RFC 5321, 4.2, with or without an enhanced code (RFC 2034). */
export function parseReply(text: string): RelayReply {
  const line = text
    .replace(/[^\P{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_REPLY)
    .toWellFormed();
  const [, code = '0', enhancedCode = ''] = /^(\d{3})(?:[ -]([245]\.\d{1,3}\.\d{1,3})\b)?/.exec(line) ?? [];
  return { code: Number(code), text: line, enhancedCode };
}

/** RFC 5321, 4.2.1: 5yz is permanent, 4yz may change; 421 is about the connection. */
export const isPermanent = ({ code }: RelayReply): boolean => code >= 500 && code < 600;

/** RFC 5321, 4.2.1: 2yz. */
export const isAcceptance = ({ code }: RelayReply): boolean => code >= 200 && code < 300;

/** Whether it says that the mail was not taken. Anything else in place of an acceptance is no answer. */
export const isRefusal = ({ code }: RelayReply): boolean => code >= 400 && code < 600;
