import { parseServiceAddress } from './service-address';

test.each([
  ['localhost:50051', { by: 'hosts', hosts: [{ host: 'localhost', port: 50051 }] }],
  [
    '10.0.0.1:1, [::1]:2',
    {
      by: 'hosts',
      hosts: [
        { host: '10.0.0.1', port: 1 },
        { host: '[::1]', port: 2 },
      ],
    },
  ],
  ['dns:///mail.internal:50051', { by: 'dns', host: 'mail.internal', port: 50051 }],
  ['dns:mail:1', { by: 'dns', host: 'mail', port: 1 }],
  ['etcd:///mail', { by: 'etcd', service: 'mail' }],
])('%s', (text, address) => expect(parseServiceAddress(text)).toEqual(address));

test.each(['localhost', 'localhost:0', 'localhost:70000', 'a:1,', 'etcd:///', 'http://mail:1'])(
  '%s is refused with what it must be',
  (text) => expect(() => parseServiceAddress(text)).toThrow('must be host:port'),
);
