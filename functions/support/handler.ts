import { loadConfig } from '../../shared/config/index.ts';
import { operatorApi } from '../../shared/middleware/index.ts';
import { loadSigningKey } from '../../shared/tenancy/index.ts';
import { supportApi } from './schema.ts';
import { runStatement } from './service.ts';

const { signingSecretArn } = loadConfig('signingSecretArn');
const signingKey = () => loadSigningKey(signingSecretArn);

export const handler = operatorApi(supportApi, {
  'POST /tenants/{tenantId}/statements': ({ path, body }) => runStatement(path.tenantId, body.sql, signingKey),
});
