import { environmentKeys } from '../../shared/contract/index.ts';
import type { TestTenantDatabase } from './tenant-database.ts';

/** What lib writes into the environment of an application function, for a database and a cache of the tests. */
export function functionEnvironment({ config }: TestTenantDatabase, cacheUrl: string): Record<string, string> {
  return {
    [environmentKeys.stage]: 'test',
    [environmentKeys.clusters]: JSON.stringify(config.clusters),
    [environmentKeys.registry]: JSON.stringify(config.registry),
    [environmentKeys.cacheUrl]: cacheUrl,
  };
}
