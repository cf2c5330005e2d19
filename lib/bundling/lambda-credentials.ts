import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * What bundles have in place of the AWS SDK's chain of credential providers. Lambda hands a function its credentials by
 * environment variables, which the chain tries first; the rest of it (profiles, single sign-on, containers, instances)
 * would be a sixth of an application function.
 */
export const defaultProvider = fromEnv;
