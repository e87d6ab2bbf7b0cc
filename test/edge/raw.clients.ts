import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { QuicConnection } from '../http3/quic-connection';
import { UdpSocket } from '../http3/udp-socket';
import type { TestEdge } from './test-edge';

/** A connection of TLS on TCP, on which anything may be sent. */
export async function openTls(edge: TestEdge, alpn: 'http/1.1' | 'h2' = 'http/1.1'): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: edge.port, servername: 'localhost', ca: edge.ca, ALPNProtocols: [alpn] });
  await once(socket, 'secureConnect');
  return socket.on('error', () => undefined);
}

/** One of TCP only. */
export async function openTcp(edge: TestEdge): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port: edge.port });
  await once(socket, 'connect');
  return socket.on('error', () => undefined);
}

/** A connection of QUIC, on whose streams anything may be sent: not even SETTINGS are. */
export async function openQuic(edge: TestEdge): Promise<QuicConnection> {
  const quic = new QuicConnection(edge.address, await UdpSocket.to(edge.address, false));
  await quic.established;
  return quic;
}
