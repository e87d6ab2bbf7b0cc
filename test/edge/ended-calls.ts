import { register } from 'prom-client';
import { eventually } from '../eventually';

/** How many calls of a method the services have seen given up by their callers. The apps run in the process of the test. */
export async function cancelledCalls(method: string): Promise<number> {
  const { values } = await register.getSingleMetric('grpc_responses_total')!.get();
  return values.find(({ labels }) => labels['grpc_method'] === method && labels['grpc_code'] === 'CANCELLED')?.value ?? 0;
}

/** Waits until there is one more than `before`; gives how long that took, in ms, to 25 ms. */
export async function untilCancelled(method: string, before: number): Promise<number> {
  const since = Date.now();
  await eventually(
    () => cancelledCalls(method),
    (count) => count > before,
  );
  return Date.now() - since;
}
