import { UdpSocket } from './udp-socket';

const QUIET_MS = 50;

/**
 * Sends recorded datagrams again, in order, from a port that was never used with them: as somebody does who has read them on the way.
 * What is answered is dropped; resolves when an answer came and no more for 50 ms, at the latest after `withinMs`.
 * @returns how many datagrams were answered
 */
export async function replayDatagrams(datagrams: readonly Buffer[], port: number, withinMs = 500): Promise<number> {
  const socket = await UdpSocket.to({ host: '127.0.0.1', port });
  let answers = 0;
  await new Promise<void>((resolve) => {
    const latest = setTimeout(resolve, withinMs);
    let quiet: NodeJS.Timeout | undefined;
    socket.onDatagram(() => {
      answers += 1;
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        clearTimeout(latest);
        resolve();
      }, QUIET_MS);
    });
    for (const datagram of datagrams) socket.send(datagram);
  });
  socket.close();
  return answers;
}
