import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './start-error';

export const LOOPBACK = '127.0.0.1';
const LOOPBACK_IPV6 = '::1';
/** Of any port at all: one that is free on TCP may be in use on UDP. */
const ANY_PORT_TRIES = 20;

type Place = 'TCP' | 'UDP' | 'TCP on IPv6' | 'UDP on IPv6';

export interface WantedPort {
  /** The variable that changes it. */
  setting: string;
  /** 0: any free one. */
  port: number;
  /** Where it is to be free; TCP when left out. A machine without IPv6 has it free there. */
  on?: readonly Place[];
}

/** Undefined where none was wanted. */
export type FoundPorts<Wanted> = { [Name in keyof Wanted]: Wanted[Name] extends WantedPort ? number : number | undefined };

/**
 * The ports to listen on, each free and none twice. Ports in use are all told at once.
 * @param waitMs how long a port may still be held by a process that is ending
 * @throws StartError naming each port in use and the setting that changes it
 */
export async function findPorts<Wanted extends Record<string, WantedPort | undefined>>(
  wanted: Wanted,
  waitMs: number,
): Promise<FoundPorts<Wanted>> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const { ports, faults } = await tryPorts(wanted);
    if (faults.length === 0) return ports as FoundPorts<Wanted>;
    if (Date.now() >= deadline) throw new StartError(...faults);
    await sleep(100);
  }
}

/** All are held until the last is found, so that none is found twice. */
async function tryPorts(wanted: Record<string, WantedPort | undefined>): Promise<{ ports: Record<string, number>; faults: string[] }> {
  const ports: Record<string, number> = {};
  const faults: string[] = [];
  const held: (Server | Socket)[] = [];
  for (const [name, want] of Object.entries(wanted)) {
    if (!want) continue;
    try {
      ports[name] = await hold(want, held);
    } catch (error) {
      if (!(error instanceof PortError)) throw error;
      faults.push(`${error.message}. Set ${want.setting} to another one (0: any free port).`);
    }
  }
  await Promise.all(held.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  return { ports, faults };
}

async function hold({ port, on = ['TCP'] }: WantedPort, held: (Server | Socket)[]): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      let found = port;
      for (const place of on) found = (await take(found, place, held)) ?? found;
      return found;
    } catch (error) {
      if (port !== 0 || tries === ANY_PORT_TRIES) throw error;
    }
  }
}

class PortError extends Error {}

/** The port taken; undefined where there is no such place. */
async function take(port: number, place: Place, held: (Server | Socket)[]): Promise<number | undefined> {
  const address = place.endsWith('IPv6') ? LOOPBACK_IPV6 : LOOPBACK;
  try {
    const socket = await (place.startsWith('TCP') ? listen(port, address) : bind(port, address));
    held.push(socket);
    return (socket.address() as AddressInfo).port;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (address === LOOPBACK_IPV6 && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return undefined;
    const where = place === 'TCP' ? '' : ` (${place})`;
    throw new PortError(`Port ${port}${where} ${code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${code ?? message})`}`);
  }
}

async function listen(port: number, host: string): Promise<Server> {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  return server;
}

async function bind(port: number, address: string): Promise<Socket> {
  const socket = createSocket(address === LOOPBACK_IPV6 ? 'udp6' : 'udp4').bind({ port, address, exclusive: true });
  await once(socket, 'listening');
  return socket;
}
