import 'reflect-metadata';
import { Socket } from 'node:net';
import { DatabaseClient, type Statement } from '@sky-genesis/database';
import { readMailConfig } from '@sky-genesis/mail/mail.config';
import { startMail } from '@sky-genesis/mail/start-mail';
import type { CrashPoint } from './crash-points';

// The mail app that is killed, as by kill -9, at the point that CRASH_POINT names. Nothing of it is in the app itself:
// its points are the statements that it runs, by their names, and the bytes that it writes to a relay.

const POINT = process.env.CRASH_POINT as CrashPoint;

const die = (): void => void process.kill(process.pid, 'SIGKILL');

const STATEMENTS: Partial<Record<CrashPoint, { statement: string; when: 'before' | 'after' }>> = {
  'before the accept is committed': { statement: 'accept', when: 'before' },
  'after the accept is committed, before the answer': { statement: 'accept', when: 'after' },
  'after the claim': { statement: 'job-claim', when: 'after' },
  'before the mark': { statement: 'job-mark', when: 'before' },
  'after the mark, before the dot': { statement: 'job-mark', when: 'after' },
  'after the reply, before the record': { statement: 'job-record', when: 'before' },
  'after the record': { statement: 'job-record', when: 'after' },
};

const { run: runStatement } = DatabaseClient.prototype;

DatabaseClient.prototype.run = async function run(this: DatabaseClient, statement: Statement) {
  const point = STATEMENTS[POINT]?.statement === statement.name ? STATEMENTS[POINT] : undefined;
  if (point?.when === 'before') die();
  const result = await runStatement.call(this, statement);
  // A claim that found nothing is not the point.
  if (point?.when === 'after' && result.rows.some((row) => row['id'] !== null)) die();
  return result;
} as typeof runStatement;

if (POINT === 'after the dot, before the reply') {
  const { write } = Socket.prototype;
  Socket.prototype.write = function writeAndDie(this: Socket, chunk: unknown, ...rest: unknown[]) {
    const result = (write as (...given: unknown[]) => boolean).call(this, chunk, ...rest);
    // nodemailer writes the dot by itself. The system has it now, and sends it although the process is no more.
    if (String(chunk) === '.\r\n') die();
    return result;
  } as typeof write;
}

void startMail(readMailConfig(process.env));
