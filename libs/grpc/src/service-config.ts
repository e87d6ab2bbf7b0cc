import type { ServiceConfig } from '@grpc/grpc-js';
import { rpcs } from './rpcs';

/** Another try of a call that met UNAVAILABLE: at once where it was never sent, else after a wait that doubles, with jitter. */
const RETRIES = {
  maxAttempts: 4,
  initialBackoff: '0.05s',
  maxBackoff: '1s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};
/** Ten calls that fail take what a hundred that succeed give back: in an outage of everything, nothing is tried twice for long. */
const THROTTLING = { maxTokens: 100, tokenRatio: 0.1 };

/** An instance that fails nearly every call is left out for 10 s, then longer; never more than half of them. */
const OUTLIER_DETECTION = {
  interval: { seconds: 2, nanos: 0 },
  base_ejection_time: { seconds: 10, nanos: 0 },
  max_ejection_time: { seconds: 60, nanos: 0 },
  max_ejection_percent: 50,
  // Also what is the callers' own fault counts as a failure here, and comes from all instances alike: hence nearly all.
  failure_percentage_ejection: { threshold: 85, enforcement_percentage: 100, minimum_hosts: 2, request_volume: 10 },
  child_policy: [{ round_robin: {} }],
};

/**
 * How a channel to a service of the contract balances and retries what only reads (gRFC A6, A50; the JSON of grpc-js).
 * @param hedgeSearchMs when a search is asked a second instance, too, if the first has not answered; 0: never
 */
export function serviceConfigOf(service: string, hedgeSearchMs: number): ServiceConfig {
  const repeatable = Object.entries(rpcs).flatMap(([rpc, { readOnly }]) => {
    const [name, method] = rpc.split('/');
    return name === service && readOnly ? [method!] : [];
  });
  const hedged = service === 'SearchService' && hedgeSearchMs > 0 ? ['Search'] : [];
  const config = {
    loadBalancingConfig: [{ outlier_detection: OUTLIER_DETECTION }],
    retryThrottling: THROTTLING,
    methodConfig: [
      {
        name: namesOf(
          service,
          repeatable.filter((method) => !hedged.includes(method)),
        ),
        retryPolicy: RETRIES,
      },
      ...(hedged.length > 0 ? [{ name: namesOf(service, hedged), hedgingPolicy: hedgingAfter(hedgeSearchMs) }] : []),
    ],
  };
  return config as unknown as ServiceConfig;
}

const namesOf = (service: string, methods: readonly string[]) => methods.map((method) => ({ service: `sky_genesis.${service}`, method }));

const hedgingAfter = (ms: number) => ({ maxAttempts: 2, hedgingDelay: `${ms / 1000}s`, nonFatalStatusCodes: ['UNAVAILABLE'] });
