import { Gauge } from 'prom-client';

const registered = new Gauge({
  name: 'discovery_registered',
  help: 'Whether this instance is registered in etcd (1). Not there where it has no etcd.',
  // Without a label it would be 0 from the start.
  labelNames: ['service'] as const,
});

/** Tells in `discovery_registered` whether others find this instance. */
export const tellRegistered =
  (service: string) =>
  (is: boolean): void =>
    registered.set({ service }, is ? 1 : 0);
