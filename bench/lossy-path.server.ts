import { SeededRandom } from '#faults/seeded-random';
import { UdpProxy } from '#http3/udp-proxy';

/** Prints its port, and ends with its standard input. */
async function main([port = '', seed = '', dropped = '', delayMs = '']: string[]): Promise<void> {
  const proxy = await UdpProxy.before(Number(port), new SeededRandom(Number(seed)));
  proxy.drop(Number(dropped));
  proxy.delay(Number(delayMs));
  process.stdin.once('end', () => void proxy.close()).resume();
  console.log(proxy.port);
}

void main(process.argv.slice(2));
