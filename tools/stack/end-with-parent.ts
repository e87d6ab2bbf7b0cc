// Required into every Node program of the stack (`node --require`). Its standard input is a pipe that the stack holds
// and never writes to: the pipe ends only when the stack is gone, however it went. Then the program ends too.
const GRACE_MS = 10_000;

process.stdin.on('error', () => undefined);
process.stdin.once('close', () => {
  process.kill(process.pid, 'SIGTERM');
  setTimeout(() => process.exit(1), GRACE_MS).unref();
});
process.stdin.resume();
// The pipe alone keeps nothing alive: a program that is done may end.
(process.stdin as { unref?: () => void }).unref?.();

export {};
