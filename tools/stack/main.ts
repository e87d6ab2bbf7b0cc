import { readFileSync } from 'node:fs';
import { ConfigError } from '@sky-genesis/config';
import { builtPrograms } from './programs';
import { ProcessEndedError } from './running-process';
import { Stack } from './stack';
import { readStackConfig } from './stack.config';
import { StartError } from './start-error';
import { Terminal } from './terminal';

const terminal = new Terminal(
  (text) => process.stdout.write(text),
  (text) => process.stderr.write(text),
);
// A reader that goes away (`npm start | head`) ends nothing.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

let stack: Stack | undefined;
let exit: Promise<never> | undefined;

/** Ends everything in order, once. */
function endWith(code: number): Promise<never> {
  exit ??= (async () => {
    await stack?.end();
    process.exit(code);
  })();
  return exit;
}

function onSignal(): void {
  if (!exit) terminal.line('\nEnding: edge, gateway, mail, search, sink, PostgreSQL ...');
  void endWith(0);
}

/**
 * A signal that is sent to `npm start` itself may end npm and its shell alone: then the stack ends too. Elsewhere it is
 * no fault to outlive the parent.
 */
function endWithNpm(): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && onSignal(), 500).unref();
}

/** `nohup npm start` is to outlive its terminal; a handler would undo that. */
function ignoresHangup(): boolean {
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
    return (BigInt(`0x${ignored}`) & 1n) === 1n;
  } catch {
    return false;
  }
}

async function main(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  if (!ignoresHangup()) process.on('SIGHUP', onSignal);
  endWithNpm();
  stack = new Stack({
    config: readStackConfig(process.env),
    environment: process.env,
    programs: builtPrograms(),
    terminal,
    onGiveUp: () => void endWith(1),
  });
  await stack.start();
}

function fail(error: unknown): Promise<never> {
  if (exit) return exit;
  if (error instanceof ProcessEndedError) terminal.ended(error.ending, 'The stack cannot start.');
  else if (error instanceof StartError || error instanceof ConfigError) terminal.fault(error.message);
  else terminal.fault((error as Error).stack ?? String(error));
  return endWith(1);
}

process.on('uncaughtException', (error) => void fail(error));
main().catch(fail);
