import { loadConfig } from '../config/index.ts';
import { AppError } from '../errors/index.ts';
import { currentTenant } from '../tenancy/index.ts';
import { DataApi } from './data-api.ts';
import { observed } from './observed.ts';
import { loginOf } from './router.ts';

/** What is done in an impersonation. */
export interface ImpersonatedUse {
  readonly method: string;
  /** As API Gateway spells the resource, without values of the client. */
  readonly route: string;
  readonly requestId: string;
}

const statement =
  'select registry.record_impersonated_use(:capability, cast(:impersonation as uuid), :method, :route, :request_id)::text';

type RecordUse = (use: ImpersonatedUse) => Promise<void>;

function recorder(): RecordUse {
  const dataApi = new DataApi();
  const config = loadConfig('clusters', 'registry');
  const { cluster, database } = config.registry;
  const registry = { ...loginOf(config, cluster), database };
  return async ({ method, route, requestId }) => {
    const { capability, impersonation } = currentTenant();
    if (!impersonation) throw new AppError('internal', 'The current request is made in no impersonation.');
    const parameters = { capability, impersonation: impersonation.id, method, route, request_id: requestId };
    const [row] = await observed('insert', () =>
      dataApi.execute(registry, statement, parameters, { twice: 'harmful' }),
    );
    if (row?.[0] === 'true') return;
    throw new AppError('token-expired', `The impersonation ${impersonation.id} is over. Begin another.`);
  };
}

let record: RecordUse | undefined;

/**
 * Writes to the audit log of the registry that the current request is made by an operator who acts for the tenant. Who that is the
 * registry knows by itself.
 *
 * @throws AppError token-expired when the impersonation is over
 * @throws DatabaseError when the registry cannot be asked
 */
export const recordImpersonatedUse: RecordUse = (use) => {
  record ??= recorder();
  return record(use);
};
