import { Counter, Histogram } from 'prom-client';

const labelNames = ['grpc_service', 'grpc_method'] as const;

export const requestsTotal = new Counter({ name: 'grpc_requests_total', help: 'gRPC calls that began.', labelNames });

export const responsesTotal = new Counter({
  name: 'grpc_responses_total',
  help: 'gRPC calls that ended, by the code they ended with; CANCELLED where the caller went away first.',
  labelNames: [...labelNames, 'grpc_code'],
});

export const requestDurationSeconds = new Histogram({
  name: 'grpc_request_duration_seconds',
  help: 'From the beginning of a gRPC call to its end, streams included.',
  labelNames,
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});
