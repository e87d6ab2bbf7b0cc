import { execFileSync } from 'node:child_process';

const CLIENT = `const { connect } = require('node:net');
const [port, bytes, times] = process.argv.slice(1);
for (let i = 0; i < Number(times); i++) {
  const socket = connect(Number(port), '127.0.0.1', () => {
    socket.write(Buffer.from(bytes, 'base64'));
    socket.resetAndDestroy();
  });
  socket.on('error', () => undefined);
}`;

/**
 * Sends the same bytes on so many connections, each reset before this process, which waits meanwhile, gets to accept it:
 * the system then no longer tells whose it was.
 */
export function sendAndVanish(port: number, bytes: Buffer, times: number): void {
  execFileSync(process.execPath, ['-e', CLIENT, String(port), bytes.toString('base64'), String(times)]);
}
