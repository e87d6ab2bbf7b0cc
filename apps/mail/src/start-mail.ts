import { type RunningService, startService } from '@sky-genesis/service';
import { DeliveryWorker } from './delivery/delivery.worker';
import { DatabaseMonitor } from './health/database.monitor';
import type { MailConfig } from './mail.config';
import { MailModule } from './mail.module';

/** Starts accepting and delivering; serves once the database answers and its schema fits. */
export const startMail = (config: MailConfig): Promise<RunningService> =>
  startService({
    name: 'mail',
    contract: ['sky_genesis.MailService', 'sky_genesis.StreamingService'],
    config,
    module: MailModule.forRoot(config),
    begin: async (app) => {
      const [monitor, worker] = [app.get(DatabaseMonitor), app.get(DeliveryWorker)];
      await monitor.start();
      worker.start();
      return { stop: () => monitor.stop(), end: () => worker.stop() };
    },
  });
