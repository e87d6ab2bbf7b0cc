import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import type { RecordedStore, StoreRecord } from './store-identity';

@Injectable()
export class StoreRecordStore implements StoreRecord {
  constructor(private readonly database: DatabaseClient) {}

  async read(): Promise<RecordedStore | undefined> {
    const [row] = await this.database.read<RecordedStore & object>({ text: 'select kind, identity from object_store', values: [] });
    return row;
  }

  async record({ kind, identity }: RecordedStore): Promise<RecordedStore> {
    const text = 'insert into object_store (kind, identity) values ($1, $2) on conflict do nothing';
    await this.database.change({ text, values: [kind, identity] });
    return (await this.read())!;
  }
}
