import { readFileSync } from 'node:fs';
import { Http2Wire } from './http2.wire';
import { TestEdge } from './test-edge';

/** What the processes of an edge have computed so far, in seconds. */
function cpuSeconds({ pid }: TestEdge): number {
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const ticks = workers.map((worker) => {
    const [user, system] = readFileSync(`/proc/${worker}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 13);
    return Number(user) + Number(system);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

test('a long credential that nobody has verified yet costs the edge next to nothing', async () => {
  const edge = await TestEdge.start({});
  try {
    const wire = await Http2Wire.open(edge);
    const before = cpuSeconds(edge);
    for (let time = 0; time < 20; time++) {
      const { status } = await wire.rest({
        method: 'GET',
        path: '/api/v1/mail',
        headers: { authorization: `Bearer ${'a'.repeat(40_000)}` },
      });
      expect(status).toBe(503);
    }
    // A millisecond each; a pattern that is tried at every character takes 70.
    expect(cpuSeconds(edge) - before).toBeLessThan(0.5);
    await wire.close();
  } finally {
    await edge.remove();
  }
});
