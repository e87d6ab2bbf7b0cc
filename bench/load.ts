/** What one round of load came to. Latencies in milliseconds. */
export interface Load {
  perSecond: number;
  p50: number;
  p99: number;
  requests: number;
  errors: number;
}

/** Closed loop: each of `callers` calls again as soon as it has its answer, for `seconds`. A call may be several requests. */
export async function closedLoop(
  callers: number,
  seconds: number,
  call: (caller: number) => Promise<void>,
  requestsOfCall = 1,
): Promise<Load> {
  const latencies: number[] = [];
  let errors = 0;
  const begin = performance.now();
  const end = begin + seconds * 1000;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let at = performance.now(); at < end; at = performance.now()) {
        await call(caller).then(
          () => latencies.push(performance.now() - at),
          () => errors++,
        );
      }
    }),
  );
  const took = (performance.now() - begin) / 1000;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(Math.floor(latencies.length * q), latencies.length - 1)] ?? NaN;
  const requests = latencies.length * requestsOfCall;
  return { perSecond: requests / took, p50: quantile(0.5), p99: quantile(0.99), requests, errors };
}
