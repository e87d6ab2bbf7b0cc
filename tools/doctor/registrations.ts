import { EtcdClient } from '@sky-genesis/grpc';
import type { DoctorSettings } from './doctor.settings';

/** What an instance told etcd of itself. */
export interface Registration {
  service: string;
  instance: string;
  /** host:port */
  address: string;
}

const LEASE_SECONDS = 10;

/**
 * The instances of a service that etcd has, from the first of these endpoints that answers.
 * @throws ServiceError of grpc-js, of the last one
 */
export async function registrationsOf(service: string, endpoints: readonly string[], settings: DoctorSettings): Promise<Registration[]> {
  const client = new EtcdClient({ ETCD_LEASE_SECONDS: LEASE_SECONDS, ...settings, ETCD_ENDPOINTS: [...endpoints] });
  const prefix = `/services/${service}/`;
  try {
    for (let left = endpoints.length - 1; ; left--) {
      try {
        const { values } = await client.list(prefix);
        return Array.from(values, ([key, address]) => ({ service, instance: key.slice(prefix.length), address }));
      } catch (error) {
        // The client itself goes on to the next.
        if (left <= 0) throw error;
      }
    }
  } finally {
    client.close();
  }
}
