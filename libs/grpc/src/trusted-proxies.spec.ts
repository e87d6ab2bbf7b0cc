import { readConfig } from '@sky-genesis/config';
import { z } from 'zod';
import { trustedProxies } from './trusted-proxies';
import { proxySettings } from './trusted-proxies.settings';

const read = (TRUSTED_PROXIES?: string) => readConfig(z.object(proxySettings), { TRUSTED_PROXIES }).TRUSTED_PROXIES;

const NETWORKS = '10.1.2.3/8, 192.0.2.7, fd00::/8,2001:db8::1';

test.each<[string | undefined, boolean]>([
  ['10.255.0.1', true],
  ['11.0.0.1', false],
  ['192.0.2.7', true],
  ['192.0.2.8', false],
  ['fd12:3456::1', true],
  ['fe80::1', false],
  ['2001:db8::1', true],
  ['2001:db8:0:0:0:0:0:1', true],
  ['2001:db8::2', false],
  ['::ffff:10.0.0.1', true],
  ['::ffff:a00:1', true],
  ['::ffff:11.0.0.1', false],
  ['127.0.0.1', false],
  ['10.0.0.1:80', false],
  ['localhost', false],
  ['', false],
  [undefined, false],
])('%s is trusted: %s', (address, trusted) => {
  expect(trustedProxies(read(NETWORKS))({ address })).toBe(trusted);
});

test('where nothing is set, loopback is trusted', () => {
  const isTrusted = trustedProxies(read());
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].map((address) => isTrusted({ address }))).toEqual([true, true, true, true]);
  expect(['10.0.0.1', '::2', '::ffff:10.0.0.1'].map((address) => isTrusted({ address }))).toEqual([false, false, false]);
});

test('a peer is trusted by an identity of its certificate, too', () => {
  const isTrusted = trustedProxies(['10.0.0.1'], ['edge', 'spiffe://sge/edge']);
  expect([['edge'], ['x', 'spiffe://sge/edge']].map((identities) => isTrusted({ address: '192.0.2.1', identities }))).toEqual([true, true]);
  expect([['mail'], ['Edge'], ['edge.x'], [], undefined].map((identities) => isTrusted({ address: '192.0.2.1', identities }))).toEqual(
    Array(5).fill(false),
  );
  expect(isTrusted({ address: '10.0.0.1', identities: ['mail'] })).toBe(true);
});

test.each(['', ' ', ','])('"%s": nobody is trusted', (setting) => {
  expect(['127.0.0.1', '::1', '10.0.0.1'].map((address) => trustedProxies(read(setting))({ address }))).toEqual([false, false, false]);
});

test.each([
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0/8',
  '10.0.0.0/8/8',
  '10.0.0.0/255.0.0.0',
  '::1/129',
  'fd00::/8x',
  '*',
])('%s is a fault that is named, and what is right beside it is not', (wrong) => {
  const message = `TRUSTED_PROXIES: ${wrong} is neither an address nor a CIDR`;
  expect(() => read(`127.0.0.1,${wrong},::1`)).toThrow(expect.objectContaining({ faults: [message] }));
});

test('every wrong entry is named', () => {
  expect(() => read('one,127.0.0.1,two')).toThrow(/one is neither.*two is neither/s);
});
