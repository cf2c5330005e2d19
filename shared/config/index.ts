export { type Config, ConfigurationError, loadConfig, parseConfig, type VariableName } from './load-config.ts';
export type { TrustedIssuer } from './variables.ts';
