import { statSync } from 'node:fs';
import { join } from 'node:path';
import { ChaosRelay } from './chaos-relay';
import { SeededRandom } from './seeded-random';

// Started as the stack starts its sink: the same two variables, the folder holding the journal.
const { SGE_SMTP_SINK_PORT: port, SGE_SMTP_SINK_INBOX: folder = '.', CHAOS_SEED: seed } = process.env;
const journal = join(folder, 'journal');
const relay = new ChaosRelay({
  port: Number(port),
  journal,
  calmFile: join(folder, 'calm'),
  // One that was killed goes on otherwise than it began.
  random: new SeededRandom(Number(seed)).branch(statSync(journal, { throwIfNoEntry: false })?.size ?? 0),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
void relay.listen();
