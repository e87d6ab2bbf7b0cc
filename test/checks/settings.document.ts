import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describeSettings, type SettingDescription } from '@sky-genesis/config';
import { gatewaySettings } from '../../apps/api-gateway/src/gateway.config';
import { mailSettings } from '../../apps/mail/src/mail.config';
import { searchSettings } from '../../apps/search/src/search.config';
import { sinkSchema } from '../../tools/sink/sink.config';
import { stackSchema } from '../../tools/stack/stack.config';

/** The parts of the product that read settings, in the order of the documents. A setting is told where it is met first. */
export const parts: { title: string; settings: SettingDescription[] }[] = [
  { title: 'mail (apps/mail)', settings: describeSettings(mailSettings) },
  { title: 'search (apps/search)', settings: describeSettings(searchSettings) },
  { title: 'gateway (apps/api-gateway)', settings: describeSettings(gatewaySettings) },
  { title: 'the edge (nginx-quic)', settings: edgeSettings() },
  { title: 'the embedded stack (npm start)', settings: describeSettings(stackSchema) },
  // Where it listens and keeps the mails is the stack's to say.
  {
    title: 'the SMTP sink of the embedded stack',
    settings: describeSettings(sinkSchema.pick({ SGE_SMTP_SINK_MAX_SIZE: true, SGE_SMTP_SINK_LATENCY_MS: true })),
  },
];

/** As the edge's own script tells them: it runs where there is no Node. */
function edgeSettings(): SettingDescription[] {
  const told = execFileSync(join(__dirname, '..', '..', 'nginx-quic', 'render'), ['--settings'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH },
  });
  return told
    .trim()
    .split('\n')
    .map((line) => {
      const [name, byDefault, description] = line.split('\t') as [string, string, string];
      return { name, byDefault, description };
    });
}

/** `.env.example`: every setting once, commented out at its default. */
export function envExample(): string {
  const seen = new Set<string>();
  const lines = ['# Every setting, at its default. Each may also come by file: NAME_FILE=/path/to/value.'];
  for (const { title, settings } of parts) {
    lines.push('', `# ${'-'.repeat(20)} ${title}`);
    for (const { name, byDefault, description } of settings) {
      if (seen.has(name)) continue;
      seen.add(name);
      lines.push('', `# ${description}`, `#${name}=${byDefault}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** `docs/settings.md`: what each part reads. */
export function settingsTable(): string {
  const lines = [
    '# Settings',
    '',
    'Read from the environment, once, when a program starts; all faults are reported together, and the program ends with 1.',
    'Each may come by file instead (`NAME_FILE=/path`), as secrets should.',
  ];
  for (const { title, settings } of parts) {
    lines.push('', `## ${title}`, '', '| setting | default | what it does |', '| --- | --- | --- |');
    for (const { name, byDefault, description } of settings) {
      lines.push(`| \`${name}\` | ${byDefault === '' ? '' : `\`${byDefault}\``} | ${description.replaceAll('|', '\\|')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}
