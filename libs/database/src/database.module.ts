import { type DynamicModule, Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.options';
import type { DatabaseSettings } from './database.settings';
import { DatabaseClient } from './database.client';
import { checkSchemaVersion } from './schema-version';

const SETTINGS = 'DATABASE_SETTINGS';

/** The one database of an app; refuses to start on a schema that is not the program's own. */
@Global()
@Module({})
export class DatabaseModule implements OnModuleInit {
  static forRoot(settings: DatabaseSettings): DynamicModule {
    return {
      module: DatabaseModule,
      // A database that is not there yet is waited for, half a minute at most.
      imports: [TypeOrmModule.forRoot({ ...dataSourceOptions(settings), retryAttempts: 15, retryDelay: 2000 })],
      providers: [DatabaseClient, { provide: SETTINGS, useValue: settings }],
      exports: [DatabaseClient],
    };
  }

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: DatabaseSettings,
  ) {}

  async onModuleInit(): Promise<void> {
    const { migrations, migrationsTable: table } = this.settings;
    const [{ found }] = await this.dataSource.query<[{ found: boolean }]>('select to_regclass($1) is not null as found', [table]);
    const rows = found ? await this.dataSource.query<{ name: string }[]>(`select name from ${table}`) : [];
    checkSchemaVersion(
      rows.map(({ name }) => name),
      migrations.map((Migration) => new Migration().name),
    );
  }
}
