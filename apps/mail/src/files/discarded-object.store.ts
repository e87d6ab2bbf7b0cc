import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import type { ObjectState, StoredObject } from './object.store';

/** An object that nothing refers to any more. */
export interface DiscardedObject extends Pick<StoredObject, 'id' | 'state'> {
  tenant: string;
}

/** Objects that are still to be removed from the store. */
@Injectable()
export class DiscardedObjectStore {
  constructor(private readonly database: DatabaseClient) {}

  /** Takes some that are due; what is not forgotten within a minute is due again. */
  async take(limit: number): Promise<DiscardedObject[]> {
    const text = `
      with due as (select tenant, object_id from discarded_object where due_at <= now() order by due_at limit $1 for update skip locked)
      update discarded_object o set due_at = now() + interval '1 minute' from due
      where o.tenant = due.tenant and o.object_id = due.object_id returning o.tenant, o.object_id as id, o.object_state as state`;
    const { rows } = await this.database.run<DiscardedObject & { state: ObjectState }>({ text, values: [limit] });
    return rows;
  }

  /** It is removed. */
  async forget({ tenant, id }: DiscardedObject): Promise<void> {
    await this.database.run({ text: 'delete from discarded_object where tenant = $1 and object_id = $2', values: [tenant, id] });
  }
}
