/**
 * What interceptors do, in the order in which a call passes them on its way to the handler: on a client from the app to the wire, on a server
 * from the wire to the handler. Its answer passes them the other way round.
 *
 * One that has several roles stands where the first of them does:
 * - a server's `callContextInterceptor`: tracing and deadline, and the bound of metadata; all others ask the context that it makes
 * - a server's `grpcObserver`: logging and metrics; it sees every end of a call, whoever makes it
 *
 * Authentication may be two: of the peer, by its certificate (`peerInterceptor`), and then of the caller, by its token (`authInterceptor`).
 *
 * A client has its tracing, deadline and authentication before the first interceptor: in `ServiceChannel`, which makes the call.
 */
export const ROLES = ['tracing', 'logging', 'metrics', 'deadline', 'authentication', 'limits', 'compression'] as const;

export type Role = (typeof ROLES)[number];

/** Those of one server or client, named by what they do; several of one role stand in the order given. */
export type ByRole<Interceptor, Roles extends Role = Role> = Partial<Record<Roles, Interceptor | readonly Interceptor[]>>;

/** What an app gives its server; the rest every server has. */
export type AppsRole = Exclude<Role, 'tracing' | 'deadline' | 'compression'>;

/** As grpc-js takes them, each once. */
export const inOrder = <Interceptor>(byRole: ByRole<Interceptor>): Interceptor[] => [
  ...new Set(ROLES.flatMap((role) => (byRole[role] ?? []) as Interceptor | Interceptor[])),
];
