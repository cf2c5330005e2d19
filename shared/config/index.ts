export { ConfigurationError, loadConfig, parseConfig } from './load-config.ts';
export type { TrustedIssuer } from './variables.ts';
