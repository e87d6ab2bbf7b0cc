import { PostgreSqlContainer, type StartedPostgreSqlContainer } from '@testcontainers/postgresql';
import { Client } from 'pg';
import { eventually } from '../eventually';
import { TestStack } from '../stack';
import { describeWith } from './provisioned';

// Its image is one more that a machine without a registry does not have; the container is removed below in any case.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';

describeWith('docker')('on a PostgreSQL in a container', () => {
  let postgres: StartedPostgreSqlContainer | undefined;
  let stack: TestStack | undefined;

  beforeAll(async () => {
    postgres = await new PostgreSqlContainer('postgres:18').start();
    stack = await TestStack.started({ DATABASE_URL: postgres.getConnectionUri() });
  }, 180_000);

  afterAll(async () => {
    try {
      await stack?.remove();
    } finally {
      await postgres?.stop();
    }
  }, 60_000);

  async function query(text: string): Promise<unknown[][]> {
    const client = new Client(postgres?.getConnectionUri());
    await client.connect();
    try {
      return (await client.query({ text, rowMode: 'array' })).rows as unknown[][];
    } finally {
      await client.end();
    }
  }

  test('mail is accepted, delivered and told as sent, and all of it is in that database', async () => {
    const body = { to: ['recipient@example.com'], subject: 'Hello', body: 'Message content' };
    const answer = await stack?.rest('POST', '/api/v1/mail/send', body);
    expect(answer).toMatchObject({ status: 202, body: { status: 'queued' } });
    const id = String(answer?.body['message_id']);
    expect(await stack?.received(id)).toContain('Message content');
    await eventually(
      () => stack?.rest('GET', `/api/v1/mail/${id}`),
      (read) => read?.body['status'] === 'sent',
    );
    expect(await query(`SELECT subject FROM email WHERE 'msg_' || id = '${id}'`)).toEqual([['Hello']]);
  });

  test('the stack brings no database of its own then', () => {
    expect(stack?.description.pids).not.toHaveProperty('postgres');
  });
});
