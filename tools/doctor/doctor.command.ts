import type { Environment } from '@sky-genesis/config';
import { diagnose } from './diagnosis';
import { readDoctorOptions, USAGE } from './doctor.options';
import { failure, type Finding } from './finding';
import { report } from './report';
import { findSetUp } from './set-up';

/**
 * What `npm run doctor` prints, and whether nothing failed.
 * @param width columns of the terminal
 * @throws UsageError, ConfigError of the stack's own settings
 */
export async function doctorCommand(args: string[], environment: Environment, width: number): Promise<{ text: string; healthy: boolean }> {
  const options = readDoctorOptions(args);
  if (!options) return { text: `${USAGE}\n`, healthy: true };
  const setUp = findSetUp(environment);
  const findings: Finding[] = setUp ? await diagnose(setUp, options.apps) : [nothingFound()];
  const text = options.json ? `${JSON.stringify(findings, null, 2)}\n` : report(setUp?.title ?? 'this machine', findings, width);
  return { text, healthy: findings.every(({ state }) => state !== 'failure') };
}

const nothingFound = (): Finding =>
  failure(
    'set-up',
    'no stack runs on SGE_DATA_DIR, and no settings say where another one is',
    'Run npm start, or give the settings of the apps (docs/settings.md) in the environment.',
  );
