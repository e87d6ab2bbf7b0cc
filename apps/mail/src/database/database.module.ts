import { type DynamicModule, Global, Module, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { MailConfig } from '../mail.config';
import { dataSourceOptions } from './data-source.options';
import { DatabaseClient } from './database.client';
import { migrations } from './migrations';
import { checkSchemaVersion } from './schema-version';

@Global()
@Module({})
export class DatabaseModule implements OnModuleInit {
  static forRoot(config: MailConfig): DynamicModule {
    return {
      module: DatabaseModule,
      // A database that is not there yet is waited for, half a minute at most.
      imports: [TypeOrmModule.forRoot({ ...dataSourceOptions(config), retryAttempts: 15, retryDelay: 2000 })],
      providers: [DatabaseClient],
      exports: [DatabaseClient],
    };
  }

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    const [{ found }] = await this.dataSource.query<[{ found: boolean }]>(`select to_regclass('migrations') is not null as found`);
    const rows = found ? await this.dataSource.query<{ name: string }[]>('select name from migrations') : [];
    checkSchemaVersion(
      rows.map(({ name }) => name),
      migrations.map((Migration) => new Migration().name),
    );
  }
}
