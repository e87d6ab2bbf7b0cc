import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `data_sent_*` of a job: the final dot may have left, to this relay, for the recipients at these positions, and no
 * outcome is recorded yet. A worker that dies then leaves a doubt, which the next one tells instead of guessing.
 */
export class Doubt1764100000000 implements MigrationInterface {
  readonly name = 'Doubt1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table job add column data_sent_at timestamptz, add column data_sent_to text, add column data_sent_for integer[];
      create index job_tenant_due on job (tenant, run_at);
      create index event_email on event (tenant, email_id, cursor);
      create index attempt_doubt on attempt (started_at, email_id) where outcome = 'uncertain';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      drop index attempt_doubt, event_email, job_tenant_due;
      alter table job drop column data_sent_at, drop column data_sent_to, drop column data_sent_for;
    `);
  }
}
