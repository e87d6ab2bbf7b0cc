export { Readiness, type Ready } from './readiness';
export { runService } from './run-service';
export { type RunningService, startService } from './start-service';
export { type Service, type Work } from './service';
export { listenSettings, serviceRules, serviceSettings } from './service.settings';
