import 'reflect-metadata';
import { SchemaMismatchError } from '@sky-genesis/database';
import { runService } from '@sky-genesis/service';
import { readSearchConfig } from './search.config';
import { startSearch } from './start-search';

runService(() => startSearch(readSearchConfig(process.env)), [SchemaMismatchError]);
