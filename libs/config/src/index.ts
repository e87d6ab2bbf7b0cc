export { readConfig, ConfigError, type Environment } from './read-config';
export { flag, integer, port, listOf, optional, optionalFlag, describeSettings, type SettingDescription } from './settings';
