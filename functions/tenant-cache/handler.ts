import type { Context } from 'aws-lambda';
import { type KeysFound, keysConnection } from '../../shared/cache/index.ts';
import { loadConfig } from '../../shared/config/index.ts';
import { serveTenantCache } from './service.ts';

const { cacheUrl } = loadConfig('cacheUrl');
const connection = keysConnection(cacheUrl);

/** Time kept back for what is under way when no more is begun. */
const reserveMs = 10_000;

/**
 * What operations, which are in no network, have done in the cache, `{ tenantId, action: 'purge' | 'count' }`; and events of EventBridge that tell
 * of tenants that are others now.
 */
export const handler = (event: unknown, context: Context): Promise<KeysFound | undefined> =>
  serveTenantCache(event, connection, Date.now() + context.getRemainingTimeInMillis() - reserveMs);
