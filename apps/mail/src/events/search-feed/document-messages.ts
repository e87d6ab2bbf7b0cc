import type { EmailChange } from './email-document';

const MAX_CHANGES = 500;
const MAX_BYTES = 1024 * 1024;
/** Of a change beside its texts: ids, numbers, names of fields. */
const OVERHEAD_BYTES = 256;

/** Changes as they go into messages: 500 of them and 1 MiB at most; a larger one goes alone. */
export function documentMessages(changes: readonly EmailChange[]): EmailChange[][] {
  const messages: EmailChange[][] = [];
  let message: EmailChange[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = sizeOf(change);
    if (message.length > 0 && (message.length >= MAX_CHANGES || bytes + size > MAX_BYTES)) {
      messages.push(message);
      message = [];
      bytes = 0;
    }
    message.push(change);
    bytes += size;
  }
  if (message.length > 0) messages.push(message);
  return messages;
}

function sizeOf({ tenant, document }: EmailChange): number {
  let bytes = OVERHEAD_BYTES + Buffer.byteLength(tenant);
  if (!document) return bytes;
  bytes += Buffer.byteLength(document.title) + Buffer.byteLength(document.content);
  for (const [name, values] of Object.entries(document.attributes)) {
    bytes += name.length + 8;
    for (const value of values) bytes += Buffer.byteLength(value) + 4;
  }
  return bytes;
}
