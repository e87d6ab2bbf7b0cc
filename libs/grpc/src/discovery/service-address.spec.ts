import { MAX_INSTANCES, parseServiceAddress } from './service-address';

describe('where a service is', () => {
  test.each([
    ['localhost:50051', { kind: 'dns', target: 'localhost:50051' }],
    ['[::1]:50051', { kind: 'dns', target: '[::1]:50051' }],
    ['dns:///mail.sge.svc.cluster.local:50051', { kind: 'dns', target: 'dns:///mail.sge.svc.cluster.local:50051' }],
    ['mail-1:50051, [::1]:50052 ,mail-1:50051', { kind: 'list', addresses: ['mail-1:50051', '[::1]:50052'] }],
    ['mail-1:50051,mail-1:50051', { kind: 'dns', target: 'mail-1:50051' }],
    ['etcd:///mail', { kind: 'etcd', service: 'mail' }],
  ])('%s', (text, address) => expect(parseServiceAddress(text)).toEqual(address));

  test.each([
    ['', 'nothing is not host:port'],
    ['localhost', 'localhost is not host:port'],
    ['localhost:0', 'the port of localhost:0 must be 1 to 65535'],
    ['localhost:65536', 'the port of localhost:65536 must be 1 to 65535'],
    ['::1:50051', '::1:50051 is not host:port'],
    ['[mail]:50051', 'mail is no IPv6 address'],
    ['a:1,,b:2', 'nothing is not host:port'],
    ['a:1,b', 'b is not host:port'],
    ['http://mail:50051', 'http:// is none of host:port, dns:/// and etcd:///'],
    ['etcd://mail', 'etcd://mail: etcd: takes three slashes, as in etcd:///mail'],
    ['dns://mail:50051', 'dns://mail:50051: dns: takes three slashes, as in dns:///name:port'],
    ['dns:///mail', 'mail is not host:port'],
    ['etcd:///', 'etcd:///: after etcd:/// comes the name of a service (a-z, 0-9, -; at most 63)'],
    ['etcd:///mail/x', 'etcd:///mail/x: after etcd:/// comes the name of a service (a-z, 0-9, -; at most 63)'],
  ])('%p is refused: %s', (text, message) => expect(() => parseServiceAddress(text)).toThrow(message));

  test('more addresses than can be watched are refused', () => {
    const many = Array.from({ length: MAX_INSTANCES + 1 }, (_, i) => `h${i}:1`).join(',');
    expect(() => parseServiceAddress(many)).toThrow(`1001 addresses are more than ${MAX_INSTANCES}`);
  });
});
