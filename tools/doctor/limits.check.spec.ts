import { Loopback } from '../../libs/grpc/src/loopback.fixture';
import { freePort } from '../../test/free-port';
import { checkMessageSize, checkTimeouts } from './limits.check';
import { services } from './service.instances';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** The product's own server. */
async function serverWith(maxMessageBytes: number): Promise<string> {
  const loopback = await Loopback.start({ limits: { GRPC_MAX_MESSAGE_SIZE: maxMessageBytes } });
  closers.push(() => loopback.close());
  return loopback.url;
}

const check = (mail: string, search: string, here = 4_194_304) =>
  checkMessageSize(services, { GRPC_MAIL_SERVICE_ADDR: mail, GRPC_SEARCH_SERVICE_ADDR: search, GRPC_MAX_MESSAGE_SIZE: here }, undefined);

test('what runs tells its limit itself: all the same', async () => {
  const [mail, search] = [await serverWith(4_194_304), await serverWith(4_194_304)];
  const found = `4194304 bytes at most, here and in mail ${mail}, search ${search}`;
  expect(await check(mail, search)).toEqual([{ what: 'message size', state: 'ok', found }]);
});

test('one with another limit is named, with the setting', async () => {
  const [mail, search] = [await serverWith(1_048_576), await serverWith(4_194_304)];
  expect(await check(mail, search)).toEqual([
    {
      what: 'message size',
      state: 'failure',
      found: `mail ${mail} takes 1048576 bytes, and the settings here say 4194304`,
      todo: expect.stringContaining('GRPC_MAX_MESSAGE_SIZE'),
    },
  ]);
});

test('what does not run is left out: it is told by its own check', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  expect(await check(nowhere, nowhere)).toEqual([]);
});

describe('timeouts', () => {
  const settings = {
    EDGE_PORT: '8443',
    GRPC_TIMEOUT: 30,
    GRPC_STREAM_IDLE_TIMEOUT: 120,
    EDGE_DRAIN_SECONDS: '40',
    EDGE_STREAM_IDLE_SECONDS: '150',
  };

  test('the edge waits longer', () => expect(checkTimeouts(settings)).toEqual([expect.objectContaining({ state: 'ok' })]));

  test('without an edge there is nothing to compare', () =>
    expect(checkTimeouts({ GRPC_TIMEOUT: 30, GRPC_STREAM_IDLE_TIMEOUT: 120 })).toEqual([]));

  test.each([
    ['EDGE_STREAM_IDLE_SECONDS', { GRPC_STREAM_IDLE_TIMEOUT: 150 }],
    ['EDGE_DRAIN_SECONDS', { GRPC_TIMEOUT: 35 }],
  ])('%s that is too short is told', (name, change) => {
    expect(checkTimeouts({ ...settings, ...change })).toEqual([
      expect.objectContaining({ state: 'warning', found: expect.stringContaining(name) }),
    ]);
  });
});
