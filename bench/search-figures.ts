import type { Quantiles } from './quantiles';

/** Times in milliseconds, CPU in microseconds of one document or query. */
export interface EngineFigures {
  engine: 'postgres' | 'elasticsearch';
  indexing: { documents: number; perSecond: number; appCpu: number; engineCpu: number };
  queries: QueryFigures[];
  lag: (Quantiles & { samples: number; perSecond: number; errors: number }) | undefined;
  /** Of the search process at the end. */
  residentMebibytes: number;
}

export interface QueryFigures extends Quantiles {
  name: string;
  appCpu: number;
  engineCpu: number;
  /** The same sent straight to Elasticsearch. */
  straight?: Quantiles;
}
