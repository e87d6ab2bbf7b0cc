/** Every RPC of the contract: the scope that it needs, and whether it only reads. One that is not here is refused. */
export const rpcs = {
  'MailService/SendEmail': { scope: 'mail.send', readOnly: false },
  'MailService/SubmitEmail': { scope: 'mail.send', readOnly: false },
  'MailService/SubmitEmails': { scope: 'mail.send', readOnly: false },
  'MailService/CancelEmail': { scope: 'mail.send', readOnly: false },
  'MailService/ResolveEmail': { scope: 'mail.send', readOnly: false },
  'MailService/GetEmail': { scope: 'mail.read', readOnly: true },
  'MailService/ListEmails': { scope: 'mail.read', readOnly: true },
  'MailService/WatchEvents': { scope: 'events.read', readOnly: true },
  'MailService/ListEvents': { scope: 'events.read', readOnly: true },
  'SearchService/Search': { scope: 'search.read', readOnly: true },
  'SearchService/IndexDocument': { scope: 'search.write', readOnly: false },
  'SearchService/IndexDocuments': { scope: 'search.write', readOnly: false },
  'SearchService/DeleteDocument': { scope: 'search.write', readOnly: false },
  'StreamingService/DownloadFile': { scope: 'files.read', readOnly: true },
  'StreamingService/GetFile': { scope: 'files.read', readOnly: true },
  'StreamingService/UploadFile': { scope: 'files.write', readOnly: false },
  'StreamingService/CreateUpload': { scope: 'files.write', readOnly: false },
  'StreamingService/GetUpload': { scope: 'files.write', readOnly: true },
  'StreamingService/DeleteFile': { scope: 'files.write', readOnly: false },
} as const;

/** An RPC of the contract, as `Service/Method`. */
export type Rpc = keyof typeof rpcs;

/** What only reads, by its path on gRPC: this alone may run in early data, where it may be a replay (RFC 8470). */
export const readOnlyRpcs: ReadonlySet<string> = new Set([
  ...Object.entries(rpcs).flatMap(([rpc, { readOnly }]) => (readOnly ? [`/sky_genesis.${rpc}`] : [])),
  ...['Check', 'List', 'Watch'].map((method) => `/grpc.health.v1.Health/${method}`),
  ...['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`),
]);
