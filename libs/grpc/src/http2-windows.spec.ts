import { once } from 'node:events';
import { connect } from 'node:http2';
import { Loopback } from './loopback.fixture';

test('a server lets a stream send a megabyte before it is read, and all of a connection eight', async () => {
  const loopback = await Loopback.start({});
  const session = connect(`http://${loopback.url}`);
  try {
    while (session.remoteSettings?.initialWindowSize !== 1_048_576) await once(session, 'remoteSettings');
    // It comes as a WINDOW_UPDATE of its own.
    while ((session.state.remoteWindowSize ?? 0) < 8_388_608) await new Promise((resolve) => session.ping(resolve));
  } finally {
    session.destroy();
    await loopback.close();
  }
});
