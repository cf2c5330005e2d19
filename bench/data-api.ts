import { type DataApi, type DataApiOptions, startDataApi } from '../local/data-api/server.ts';
import { superuser } from '../local/postgres.ts';
import { databaseRoles } from '../shared/contract/index.ts';
import type { BenchPostgres } from './postgres.ts';

export const resourceArn = 'arn:aws:rds:eu-central-1:000000000000:cluster:main';

/** The secret with the login of a database role. */
export const secretArn = (role: string): string => `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${role}`;

/**
 * A Data API in front of a benchmark's Postgres, which every AWS client of this process finds.
 *
 * @param more logins besides those of the roles that databases share
 */
export async function benchDataApi(
  { port }: BenchPostgres,
  more: DataApiOptions['secret'] = () => Promise.resolve(undefined),
): Promise<DataApi & AsyncDisposable> {
  const logins = new Map([
    [secretArn(superuser), { username: superuser, password: 'bench' }],
    ...Object.values(databaseRoles).map((role) => [secretArn(role), { username: role, password: role }] as const),
  ]);
  const dataApi = await startDataApi({
    clusters: { [resourceArn]: { host: '127.0.0.1', port } },
    secret: async (arn) => logins.get(arn) ?? more(arn),
  });
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
  });
  return Object.assign(dataApi, { [Symbol.asyncDispose]: () => dataApi.stop() });
}
