export { readConfig, ConfigError, type Environment } from './read-config';
export { flag, integer, port, listOf, optional, describeSettings, type SettingDescription } from './settings';
