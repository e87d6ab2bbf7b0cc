import { readGatewayConfig } from '@sky-genesis/api-gateway/gateway.config';
import { ConfigError, type Environment } from '@sky-genesis/config';
import { readMailConfig } from '@sky-genesis/mail/mail.config';
import { readSearchConfig } from '@sky-genesis/search/search.config';
import { failure, type Finding, ok } from './finding';
import type { App } from './set-up';

const readers: Record<App, (environment: Environment) => unknown> = {
  mail: readMailConfig,
  search: readSearchConfig,
  gateway: readGatewayConfig,
};

/** Every fault that an app would refuse to start for, by the app's own reading of its settings. */
export function checkSettings(app: App, environment: Environment): Finding[] {
  const what = `settings of ${app}`;
  try {
    readers[app](environment);
    return [ok(what, 'complete and within their bounds')];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const todo = `Put it right: docs/settings.md says what it takes. ${app} does not start before.`;
    return error.faults.map((fault) => failure(what, fault, todo));
  }
}
