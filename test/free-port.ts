import { createServer } from 'node:net';

/** Below the ports that the kernel gives to outgoing connections (32768 and up): none of those takes it while its server is down. */
const [FIRST, LAST] = [10_000, 32_767];

/** A port that nobody listens on, on any address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
