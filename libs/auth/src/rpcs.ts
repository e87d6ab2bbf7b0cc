import { type Caller, RuleError } from '@sky-genesis/grpc';

/** The scope that each RPC of the contract needs. One that is not here is refused. */
export const rpcScopes = {
  'MailService/SendEmail': 'mail.send',
  'MailService/SubmitEmail': 'mail.send',
  'MailService/SubmitEmails': 'mail.send',
  'MailService/CancelEmail': 'mail.send',
  'MailService/ResolveEmail': 'mail.send',
  'MailService/GetEmail': 'mail.read',
  'MailService/ListEmails': 'mail.read',
  'MailService/WatchEvents': 'events.read',
  'MailService/ListEvents': 'events.read',
  'SearchService/Search': 'search.read',
  'SearchService/IndexDocument': 'search.write',
  'SearchService/IndexDocuments': 'search.write',
  'SearchService/DeleteDocument': 'search.write',
  'StreamingService/DownloadFile': 'files.read',
  'StreamingService/GetFile': 'files.read',
  'StreamingService/UploadFile': 'files.write',
  'StreamingService/CreateUpload': 'files.write',
  'StreamingService/GetUpload': 'files.write',
  'StreamingService/DeleteFile': 'files.write',
} as const;

/** What each of the product's own services may do on its own behalf, without a caller. */
export const serviceScopes: ReadonlyMap<string, readonly string[]> = new Map([['mail', ['search.write']]]);

/** An RPC of the contract, as `Service/Method`. */
export type Rpc = keyof typeof rpcScopes;

const scopes = new Map<string, string>(Object.entries(rpcScopes));

/** @throws RuleError SCOPE_MISSING, which names the scope */
export function requireScope(caller: Caller, rpc: string | undefined): void {
  const scope = rpc === undefined ? undefined : scopes.get(rpc);
  if (scope === undefined) throw new RuleError('SCOPE_MISSING', 'no scope allows this call');
  if (!caller.scopes.has(scope)) throw new RuleError('SCOPE_MISSING', `the token lacks the scope ${scope}`);
}
